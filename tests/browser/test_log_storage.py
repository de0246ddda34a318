"""The log in a browser's own storage: nothing that was accepted is lost, and what is not kept is said."""

from pathlib import Path

import pytest

FRONT_END = Path(__file__).resolve().parents[2] / "widgets" / "flipcards"
PATIENCE_MS = 120_000

# The modules as they are, in a page that does nothing else.
PAGE = """<!doctype html><meta charset="utf-8"><title>log</title>
<script type="importmap">{"imports": {"idb": "/node_modules/idb/build/index.js"}}</script>
<script type="module">
  import { openLog } from "/frontend/storage.js";
  import { faultOf, formatLines, makeReview } from "/frontend/log.js";
  const open = async (book = "book") => { window.log = await openLog(book); };
  const review = (card, more) => makeReview({
    card, at_ms: Date.now(), offset_minutes: 60, device: log.device, rating: 3, duration_ms: 900, ...more,
  });
  const rate = (card) => log.append([review(card)]).then(() => "kept", () => log.reason);
  const rateMany = async (prefix, count) => {
    for (let n = 0; n < count; n += 1) await log.append([review(prefix + n)]);
  };
  const cards = () => log.entries().map(({ card }) => card).sort();
  Object.assign(window, { openLog, open, review, rate, rateMany, cards, faultOf, formatLines, ready: true });
</script>"""


@pytest.fixture(scope="module")
def origin(serve):
    return serve(FRONT_END)


@pytest.fixture
def browse(new_context, origin):
    """A function that opens a tab with the log of `book`; None opens no log yet.

    Tabs of one test share a context, hence a storage. `before` is a script that runs before the page's own;
    without one, the log is there once it has been read: opening it goes on after a while all the same.
    """
    context = new_context()
    context.route("**/page.html", lambda route: route.fulfill(body=PAGE, content_type="text/html"))

    def browse(*, book="book", before=""):
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        tab.add_init_script(before)
        tab.goto(f"{origin}/page.html")
        tab.wait_for_function("window.ready")
        if book:
            tab.evaluate("(book) => open(book)", book)
            if not before:
                tab.wait_for_function("log.persistent")
        return tab

    return browse


def wait_for_cards(tab, count):
    tab.wait_for_function("(count) => log.entries().length === count", arg=count)


def state(tab):
    return tab.evaluate("[log.persistent, log.reason]")


KEPT = [True, ""]


def test_two_tabs_keep_two_thousand_interleaved_reviews(browse, page_errors):
    tabs = browse(), browse()
    for name, tab in zip("ab", tabs, strict=True):
        tab.evaluate("(name) => { window.rating = rateMany(name, 1000); }", name)
    for tab in tabs:
        tab.evaluate("window.rating")
    for tab in tabs:
        wait_for_cards(tab, 2000)
    expected = sorted(f"{name}{n}" for name in "ab" for n in range(1000))
    again = browse()
    assert again.evaluate("cards()") == expected
    assert state(again) == KEPT
    assert again.evaluate("new Set(log.entries().map(({ id }) => id)).size") == 2000
    assert len({tab.evaluate("log.device") for tab in (*tabs, again)}) == 1, "one profile is one device"
    assert page_errors == []


def test_a_tab_that_is_closed_in_the_middle_of_a_rating_loses_no_review_that_was_accepted(browse, wait_until):
    tab = browse()
    accepted = []
    tab.context.expose_function("accepted", lambda card: accepted.append(card))
    tab.evaluate("""() => {
      let n = 0;
      setInterval(() => {
        const card = `c${n++}`;
        log.append([review(card)]).then(() => accepted(card));
      });
    }""")
    tab.wait_for_function("log.entries().length > 100")
    wait_until(tab, lambda: accepted)
    tab.close()
    again = browse()
    assert set(accepted) <= set(again.evaluate("cards()"))
    assert again.evaluate("log.entries().map(faultOf).filter(Boolean)") == []


def test_a_database_that_is_deleted_while_it_is_open_is_written_again(browse):
    tab, other = browse(), browse(book=None)
    tab.evaluate("rateMany('before', 20)")
    other.evaluate("""() => new Promise((done, failed) => {
      const request = indexedDB.deleteDatabase("flipcards:book");
      request.onsuccess = done;
      request.onerror = () => failed(request.error);
    })""")
    assert tab.evaluate("rate('after')") == "kept"
    assert state(tab) == KEPT
    other.evaluate("open()")
    assert len(other.evaluate("cards()")) == 21


def test_a_database_that_a_newer_page_has_changed_goes_on_being_used(browse):
    tab, newer = browse(), browse(book=None)
    tab.evaluate("rate('before')")
    newer.evaluate("""() => new Promise((done, failed) => {
      const request = indexedDB.open("flipcards:book", 2);
      request.onupgradeneeded = () => request.result.createObjectStore("more");
      request.onsuccess = () => done(request.result.close());
      request.onerror = () => failed(request.error);
    })""")
    assert tab.evaluate("rate('after')") == "kept"
    assert browse().evaluate("cards()") == ["after", "before"]


# Chromium aborts a transaction that it has no room for, when it commits.
FULL = """
  const commit = IDBTransaction.prototype.commit;
  IDBTransaction.prototype.commit = function () {
    if (!window.full) return commit.call(this);
    Object.defineProperty(this, "error", { value: new DOMException("full", "QuotaExceededError") });
    this.abort();
  };
"""


def test_a_full_disk_is_said_and_the_reviews_follow_when_there_is_room(browse, page_errors):
    tab = browse(before=FULL)
    tab.evaluate("() => { window.told = 0; log.onState(() => { told += 1; }); }")
    assert tab.evaluate("rate('before')") == "kept"
    tab.evaluate("window.full = true")
    full = "The browser's storage is full."
    assert tab.evaluate("rate('first')") == full
    assert tab.evaluate("rate('second')") == full
    assert state(tab) == [False, full]
    assert tab.evaluate("cards()") == ["before", "first", "second"]
    assert browse().evaluate("cards()") == ["before"]
    tab.evaluate("window.full = false")
    assert tab.evaluate("rate('third')") == "kept"
    assert state(tab) == KEPT
    assert tab.evaluate("told") == 2, "once when it was full, once when it was not"
    assert browse().evaluate("cards()") == ["before", "first", "second", "third"]
    assert page_errors == []


REFUSALS = {
    "missing": "Object.defineProperty(window, 'indexedDB', { value: undefined });",
    "refused": "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };",
    "forbidden": """Object.defineProperty(window, "indexedDB", {
        get() { throw new DOMException("no", "SecurityError"); },
    });""",
    "silent": "IDBFactory.prototype.open = () => new EventTarget();",
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_browser_that_keeps_nothing_still_studies_and_says_so(browse, page_errors, how):
    tab = browse(before=REFUSALS[how])
    persistent, reason = state(tab)
    assert not persistent
    assert reason.endswith(".")
    tab.evaluate("""() => {
      window.told = [];
      log.subscribe((added) => told.push(...added.map(({ card }) => card)));
      log.append([review("a")]).catch(() => {});
    }""")
    assert tab.evaluate("[cards(), told, formatLines(log.entries()).length > 100]") == [["a"], ["a"], True]
    assert page_errors == []


def test_storage_that_comes_late_takes_what_was_rated_before(browse):
    late = """
      const open = IDBFactory.prototype.open;
      IDBFactory.prototype.open = function (...args) {
        if (window.mended) return open.apply(this, args);
        throw new DOMException("not now", "UnknownError");
      };
    """
    tab = browse(before=late)
    assert state(tab) == [False, "The browser's storage does not work just now."]
    assert tab.evaluate("rate('early')") == "The browser's storage does not work just now."
    tab.evaluate("window.mended = true")
    assert tab.evaluate("rate('late')") == "kept"
    assert browse().evaluate("cards()") == ["early", "late"]


def test_a_tab_that_was_not_told_catches_up_when_it_is_looked_at(browse):
    deaf = browse(before="delete window.BroadcastChannel;")
    browse().evaluate("rate('elsewhere')")
    assert deaf.evaluate("cards()") == []
    deaf.evaluate("window.dispatchEvent(new Event('pageshow'))")
    wait_for_cards(deaf, 1)


# What was read stays out of sight until `hand()` is called.
SLOW_READ = """
  const getAllKeys = IDBObjectStore.prototype.getAllKeys;
  IDBObjectStore.prototype.getAllKeys = function (...args) {
    const request = getAllKeys.apply(this, args);
    if (!window.hand) {
      window.hand = () => request.dispatchEvent(new Event("success"));
      request.addEventListener("success", (event) => {
        if (!event.isTrusted) return;
        event.stopImmediatePropagation();
        window.hasRead = true;
      });
    }
    return request;
  };
  new BroadcastChannel("flipcards:book").onmessage = () => { window.heard = true; };
"""


def test_a_tab_that_is_just_opening_misses_nothing(browse):
    other = browse()
    tab = browse(book=None, before=SLOW_READ)
    tab.evaluate("() => { open(); }")
    tab.wait_for_function("window.hasRead")
    other.evaluate("rate('meanwhile')")
    tab.wait_for_function("window.heard")
    tab.evaluate("window.hand()")
    tab.wait_for_function("window.log?.entries().length === 1")


def test_other_tabs_are_told_once_of_each_review(browse):
    one, other = browse(), browse()
    other.evaluate("() => { window.told = []; log.subscribe((added) => told.push(...added)); }")
    one.evaluate("rateMany('a', 5)")
    other.wait_for_function("told.length >= 5")
    one.evaluate("log.append(log.entries())")  # as when a file is loaded a second time
    one.evaluate("rate('last')")
    other.wait_for_function("told.some(({ card }) => card === 'last')")
    assert sorted(other.evaluate("told.map(({ card }) => card)")) == ["a0", "a1", "a2", "a3", "a4", "last"]


def test_of_two_entries_under_one_id_all_tabs_have_the_same(browse):
    one, other = browse(), browse()
    one.evaluate("log.append([review('a', { id: '00000000-0000-4000-8000-000000000001' })])")
    wait_for_cards(other, 1)
    other.evaluate("""() => {
      const [entry] = log.entries();
      return log.append([{ ...entry, rating: 1 }, { ...entry, rating: 4 }]);
    }""")
    one.wait_for_function("log.entries()[0].rating === 1")
    assert browse().evaluate("log.entries().map(({ rating }) => rating)") == [1]


# How many entries each block has.
BLOCKS = """() => new Promise((done) => {
  const request = indexedDB.open("flipcards:book");
  request.onsuccess = () => {
    const reading = request.result.transaction("blocks").objectStore("blocks").getAll();
    reading.onsuccess = () => {
      request.result.close();
      done(reading.result.map((text) => JSON.parse(text).length));
    };
  };
})"""


def test_many_small_writes_are_gathered(browse, wait_until):
    tab = browse()
    tab.evaluate("rateMany('a', 210)")
    assert tab.evaluate(BLOCKS) == [1] * 210
    again = browse()
    wait_until(again, f"({BLOCKS})().then((blocks) => blocks.length === 1)")
    assert len(browse().evaluate("cards()")) == 210
    tab.evaluate("rate('b')")
    wait_for_cards(again, 211)


def test_a_long_write_is_in_blocks_that_are_read_one_at_a_time(browse):
    tab = browse()
    tab.evaluate("log.append(Array.from({ length: 2500 }, (_, n) => review(`c${n}`)))")
    assert tab.evaluate(BLOCKS) == [1000, 1000, 500]
    assert len(set(browse().evaluate("cards()"))) == 2500
    tab.evaluate("rate('last')")
    assert tab.evaluate(BLOCKS) == [1000, 1000, 500, 1], "and nothing of it is written again"


# Opens the log, and returns what was said of the snapshot: it and the cards written since; null for none.
WITH_SNAPSHOT = """async () => {
  let said = null;
  window.log = await openLog("book", { onSnapshot: (kept, since) => {
    if (window.log) throw new Error("said after the log was read");
    said = [kept, since.map(({ card }) => card)];
  } });
  return [said, log.beyondSnapshot()];
}"""
KEEP = "log.keepSnapshot(() => ({ of: cards() }))"


def test_a_snapshot_is_told_with_what_was_written_since(browse):
    tab = browse()
    tab.evaluate("rateMany('a', 3)")
    assert browse(book=None).evaluate(WITH_SNAPSHOT) == [None, 3]
    other = browse()
    other.evaluate("rate('b')")  # the first tab may not have been told yet
    tab.evaluate(KEEP)
    assert tab.evaluate("log.beyondSnapshot()") == 0
    of = {"of": ["a0", "a1", "a2", "b"]}
    assert browse(book=None).evaluate(WITH_SNAPSHOT) == [[of, []], 0]
    other.evaluate("rate('c')")
    assert browse(book=None).evaluate(WITH_SNAPSHOT) == [[of, ["c"]], 1]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("log.clear()", 0),
        # As gathering does it: the entries stand in another block than those that the snapshot covers.
        (
            """new Promise((done) => {
              const request = indexedDB.open("flipcards:book");
              request.onsuccess = () => {
                const transaction = request.result.transaction("blocks", "readwrite");
                transaction.objectStore("blocks").delete(1);
                transaction.objectStore("blocks").add(JSON.stringify([log.entries()[0]]));
                transaction.oncomplete = () => { request.result.close(); done(); };
              };
            })""",
            3,
        ),
    ],
    ids=["cleared", "gathered"],
)
def test_a_snapshot_counts_only_while_the_blocks_it_covers_are_the_same(browse, change, left):
    tab = browse()
    tab.evaluate("rateMany('a', 3)")
    tab.evaluate(KEEP)
    tab.evaluate(change)
    assert browse(book=None).evaluate(WITH_SNAPSHOT) == [None, left]


def test_a_snapshot_waits_for_what_is_on_its_way_to_the_disk(browse):
    tab = browse()
    tab.evaluate(f"Promise.all([rateMany('a', 3), {KEEP}])")
    tab.evaluate(f"log.append(Array.from({{ length: 5000 }}, (_, n) => review(`c${{n}}`))) && {KEEP}")
    (kept, since), beyond = browse(book=None).evaluate(WITH_SNAPSHOT)
    assert (len(kept["of"]), since, beyond) == (5003, [], 0)


def test_no_snapshot_is_kept_of_what_is_not_on_disk(browse):
    tab = browse()
    tab.evaluate("rate('a')")
    tab.evaluate("""() => {
      IDBObjectStore.prototype.add = () => { throw new DOMException("full", "QuotaExceededError"); };
    }""")
    assert tab.evaluate("rate('b')") != "kept"
    tab.evaluate(KEEP)
    assert browse(book=None).evaluate(WITH_SNAPSHOT) == [None, 1]


def test_books_of_one_origin_do_not_mix_and_a_cleared_one_is_empty_in_every_tab(browse):
    mine, same, other = browse(), browse(), browse(book="other")
    mine.evaluate("rate('a')")
    other.evaluate("rate('b')")
    wait_for_cards(same, 1)
    mine.evaluate("log.clear()")
    wait_for_cards(same, 0)
    assert browse().evaluate("cards()") == []
    assert browse(book="other").evaluate("cards()") == ["b"]


def test_the_browser_is_asked_to_keep_the_log(browse):
    tab = browse(
        before="StorageManager.prototype.persist = async () => { window.asked = true; return true; };"
    )
    assert tab.evaluate("window.asked") is None
    assert tab.evaluate("log.requestPersistence()") is True
    assert tab.evaluate("window.asked") is True
    refusing = browse(before="StorageManager.prototype.persist = async () => { throw new TypeError(); };")
    assert refusing.evaluate("log.requestPersistence()") is False
