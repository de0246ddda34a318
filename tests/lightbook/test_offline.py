"""The book without a network: what is kept, how a new version comes, and that versions never mix."""

import hashlib
import json
import runpy
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

CHROMIUM = runpy.run_path(str(Path(__file__).parents[1] / "ensure_chromium.py"))
LIST = "lightbook-offline.json"
TABLE_OF_CONTENTS = """\
    format: jb-book
    root: intro
    chapters:
      - file: "deep er/wörter"
      - file: first
      - file: passing
    """
PAGES = {
    "intro.md": "# A tiny book\n\nWords. See {doc}`first`.\n",
    "first.md": "# First page\n\nThe first wallaby.\n\n![Red](picture.png)\n",
    "deep er/wörter.md": "# Wörter\n\nA kangaroo.\n",
    "passing.md": "# Passing page\n\nIt will be deleted.\n",
}
# A page's script, and a text that it asks for long after the page came.
SCRIPT = """\
    document.documentElement.dataset.asset = "one";
    const folder = new URL(".", document.currentScript.src);
    window.late = () => fetch(new URL("late.txt", folder)).then((answer) => answer.text());
    """
NOTE = ".lightbook-offline"
KEPT = f"{NOTE}:has-text('can be read offline')"
NEW = f"{NOTE}:has-text('new version')"


@pytest.fixture(scope="module")
def book(tmp_path_factory, book_class):
    """A tiny book of pages with spaces and other letters in their names."""
    folder = tmp_path_factory.mktemp("offline") / "book"
    settings = {"html_static_path": ["static"], "html_js_files": ["version.js"]}
    settings["html_baseurl"] = "https://book.example/some/book/"
    book = book_class(folder, PAGES, TABLE_OF_CONTENTS, **settings)
    Image.new("RGB", (30, 20), "red").save(book.folder / "picture.png")
    book.write("static/version.js", SCRIPT)
    book.write("static/late.txt", "late one")
    return book


@pytest.fixture(scope="module")
def versions(book):
    """Two versions of its site: in the second a page and two assets are changed, and a page is gone."""
    sites = book.folder / "one", book.folder / "two"
    shutil.copytree(book.build_with_sphinx("html"), sites[0])
    book.write("first.md", PAGES["first.md"].replace("first wallaby", "second wallaby"))
    book.write("static/version.js", SCRIPT.replace("one", "two"))
    book.write("static/late.txt", "late two")
    (book.folder / "passing.md").unlink()
    book.write("_toc.yml", TABLE_OF_CONTENTS.replace("  - file: passing\n", ""))
    shutil.copytree(book.build_with_sphinx("html"), sites[1])
    return sites


def files(site):
    """The files that a site's list names, with their digests."""
    return json.loads((site / LIST).read_text("utf-8"))["files"]


# The list ---------------------------------------------------------------------------------------------------


def test_the_list_names_what_reading_needs_and_nothing_else(versions):
    names = set(files(versions[0]))
    assert {"intro.html", "first.html", "deep er/wörter.html", "search.html", "404.html"} <= names
    assert "_static/late.txt" in names  # only a script names it
    assert any("picture" in name for name in names)
    assert any(name.startswith("searchindex") for name in names)
    others = {"index.html", "objects.inv", LIST, "lightbook-worker.js"}
    assert not names & others
    assert not [name for name in names if name.startswith("_sources/") or name.endswith((".map", ".ttf"))]
    for name, digest in files(versions[0]).items():
        content = (versions[0] / name).read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()[:20], name


def test_a_page_whose_source_is_gone_is_neither_listed_nor_named_nor_there(versions):
    assert "passing.html" in files(versions[0])
    assert "passing.html" not in files(versions[1])
    assert not (versions[1] / "passing.html").exists()
    pages = [name for name in files(versions[1]) if name.endswith(".html")]
    assert [name for name in pages if "passing.html" in (versions[1] / name).read_text("utf-8")] == []


def test_only_what_changed_has_another_digest(versions):
    one, two = map(files, versions)
    assert one["intro.html"] != two["intro.html"]  # its navigation has a page less
    assert one["_static/late.txt"] != two["_static/late.txt"]
    same = {name for name in one.keys() & two.keys() if one[name] == two[name]}
    assert {name for name in one if name.endswith((".css", ".webp", ".png"))} <= same


@pytest.fixture(scope="module")
def folders(book, versions):
    """The second version as pages that are folders, built by two workers."""
    return book.build_with_sphinx("dirhtml", "-j", "2")


def test_a_book_of_folders_lists_its_pages_with_two_workers(folders):
    assert {"first/index.html", "deep er/wörter/index.html", "404.html"} <= set(files(folders))


def test_the_manifest_names_the_book_and_an_icon_that_is_there(versions):
    manifest = json.loads((versions[0] / "manifest.webmanifest").read_text("utf-8"))
    assert manifest["name"] == "A tiny book"
    assert manifest["start_url"] == "intro.html"
    assert [(versions[0] / icon["src"]).is_file() for icon in manifest["icons"]] == [True]


# In the browser ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def host(new_host, versions):
    """A host with the book below a path."""
    return new_host(versions[0], "/some/book/")


@pytest.fixture(scope="module")
def browser(host):
    """A Chromium that knows the host by names of its own: `book.test` as one that is safe, `plain.test` not.

    On the loopback a page is not the kept one first, so that authors see what they built.
    """
    safe = f"--unsafely-treat-insecure-origin-as-secure=http://book.test:{host.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM["system_chromium"](), args=[*CHROMIUM["FLAGS"], safe]
        )
        yield browser
        browser.close()


@pytest.fixture
def reader(browser, host, versions):
    """A reader's fresh browser: opens pages of the host, which has the first version."""
    contexts = []

    class Reader:
        def __init__(self):
            self.context = browser.new_context(service_workers="allow")
            self.context.set_default_timeout(30_000)
            contexts.append(self.context)
            self.errors = []
            self.context.on("weberror", lambda error: self.errors.append(str(error.error)))

        def open(self, name, *, at="book.test", page=None, size=None):
            page = page or self.context.new_page()
            if size:
                page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(host.address(name, at))
            return page

        def visit_once(self, name="intro.html", **where):
            page = self.open(name, **where)
            page.locator(KEPT).wait_for()
            return page

    host.folder = versions[0]
    yield Reader()
    for context in contexts:
        context.close()
    host.broken.clear()
    host.cut.clear()
    host.slow.clear()
    host.caching = "no-cache"
    host.stop()
    host.start()


def shown(page):
    """What tells the version of a page, of its script, and of what the script asks for."""
    words = "first" if page.get_by_text("The first wallaby").count() else "second"
    return words, page.evaluate("document.documentElement.dataset.asset"), page.evaluate("late()")


def kept_addresses(page):
    """The addresses of all that is kept."""
    return page.evaluate(
        """async () => { const found = [];
        for (const name of await caches.keys())
            for (const { url } of await (await caches.open(name)).keys()) found.push(url);
        return found; }"""
    )


def after_mark(address):
    return address.rpartition("?")[2]


# A page just asked for may not be among the open ones yet, so the worker waits with discarding.
MAKE_VISITS_OLD = """async () => {
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys())
            if (request.url.includes("?client=")) {
                const visit = await (await cache.match(request)).json();
                await cache.put(request, Response.json({ ...visit, at: 0 }));
            }
    } }"""

ONE, TWO = ("first", "one", "late one"), ("second", "two", "late two")


def test_after_one_visit_every_page_and_the_search_work_without_a_host(reader, host, versions):
    page = reader.visit_once()
    host.stop()
    for name in [name for name in files(versions[0]) if name.endswith(".html") and name != "404.html"]:
        page = reader.open(name, page=page)
        assert page.locator("main h1:visible").count() == 1, name
        assert page.evaluate("getComputedStyle(document.querySelector('.bd-sidebar-primary')).display") != ""
        assert page.evaluate("document.documentElement.dataset.asset") == "one", name
    page = reader.open("first.html", page=page)
    page.wait_for_function("() => document.querySelector('article img').naturalWidth === 30")
    reader.open("search.html?q=kangaroo", page=page)
    page.locator("#search-results .context:has-text('kangaroo')").first.wait_for()
    page.locator("#search-results li a").first.click()
    page.locator("article h1:has-text('Wörter')").wait_for()
    page.locator("article .highlighted").first.wait_for()
    reader.open("", page=page)  # the book itself, of which no file is named so
    page.wait_for_url("**/intro.html")
    reader.open("no/such/page.html", page=page)
    page.get_by_text("Page not found").first.wait_for()
    page.get_by_role("link", name="Go to the first page").click()
    page.wait_for_url("**/intro.html")
    assert reader.errors == []


# So high that the foot of the page is in sight, which a note of more lines than expected would push.
SIZES = {"desktop": (1280, 1600), "phone": (360, 3000)}
REGISTERING = """
    const register = ServiceWorkerContainer.prototype.register;
    ServiceWorkerContainer.prototype.register = function (...given) {
        window.loaded = performance.getEntriesByType("navigation")[0].loadEventEnd;
        return register.apply(this, given);
    };
"""


def faults_of_note(page, violations, layout_shift):
    """What axe-core finds on a page with its note in light and in the dark, and whether something moved."""
    box = page.locator(NOTE).bounding_box()
    assert 0 <= box["y"] <= page.viewport_size["height"] - box["height"], "the note is in sight"
    moved = layout_shift(page)
    found = {"light": violations(page)}
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    found["dark"] = violations(page, colours_only=True)
    page.emulate_media(color_scheme="light")
    return {name: fault for name, fault in {**found, "moved": moved > 0.01}.items() if fault}


@pytest.mark.parametrize("size", SIZES)
def test_the_copy_waits_for_the_page_and_no_note_moves_anything_or_has_a_fault(
    reader, host, versions, violations, layout_shift, size
):
    reader.context.add_init_script(REGISTERING)
    host.slow |= {name for name in files(versions[0]) if "picture" in name}
    faults = {}
    page = reader.open("first.html", size=SIZES[size])
    page.locator(KEPT).wait_for()
    assert page.evaluate("loaded") > 1000  # the picture took a second
    faults["kept"] = faults_of_note(page, violations, layout_shift)
    host.folder = versions[1]
    page = reader.open("first.html", size=SIZES[size], page=page)
    page.locator(NEW).wait_for()
    faults["new"] = faults_of_note(page, violations, layout_shift)
    page = reader.open("first.html", size=SIZES[size], page=page)
    page.get_by_role("button", name="Remove the copy").click()
    page.locator(f"{NOTE}:has-text('is not kept')").wait_for()
    page.reload()
    page.get_by_role("button", name="Keep a copy").wait_for()
    faults["unwanted"] = faults_of_note(page, violations, layout_shift)
    assert faults == {"kept": {}, "new": {}, "unwanted": {}}


def test_a_book_of_folders_can_be_read_and_searched_without_a_host(reader, host, folders):
    host.folder = folders
    page = reader.visit_once("intro/")
    host.stop()
    for name in ("first/", "deep%20er/w%C3%B6rter/"):
        reader.open(name, page=page)
        assert page.locator("main h1:visible").count() == 1, name
    page.locator(".bd-sidebar-primary a", has_text="First").first.click()
    page.wait_for_url("**/first/")
    reader.open("search/?q=kangaroo", page=page)
    page.locator("#search-results .context:has-text('kangaroo')").first.wait_for()
    page.locator("#search-results li a").first.click()
    page.locator("article .highlighted").first.wait_for()
    reader.open("no/such/page/", page=page)
    page.get_by_text("Page not found").first.wait_for()
    assert reader.errors == []


def test_a_new_version_shows_at_the_next_load_and_an_open_page_keeps_its_own(
    reader, host, versions, wait_until
):
    reader.visit_once()
    host.folder = versions[1]
    old = reader.open("first.html")
    assert shown(old) == ONE
    old.locator(NEW).wait_for()  # the second version is there
    new = reader.open("first.html")
    assert shown(new) == TWO
    assert shown(old) == ONE
    host.stop()
    assert shown(old) == ONE
    assert shown(new) == TWO
    old.locator(NOTE).get_by_role("button", name="Show it").click()
    old.get_by_text("The second wallaby").wait_for()
    old.wait_for_load_state()  # its script too
    assert shown(old) == TWO
    # Once no page is of the first version, the next visit leaves nothing of it, nor of pages that are gone.
    host.start()
    one, two = map(files, versions)
    digests = {digest for name, digest in one.items() if two.get(name) != digest}
    assert digests & set(map(after_mark, kept_addresses(old)))
    old.evaluate(MAKE_VISITS_OLD)
    reader.open("intro.html", page=old)
    wait_until(old, lambda: not digests & set(map(after_mark, kept_addresses(old))))
    wait_until(old, lambda: sum("?client=" in address for address in kept_addresses(old)) == len([old, new]))


def test_behind_a_browser_s_own_cache_a_page_more_shows_and_versions_do_not_mix(
    reader, host, versions, tmp_path
):
    host.folder, host.caching = versions[1], "max-age=600"
    page = reader.visit_once()
    assert shown(reader.open("first.html", page=page)) == TWO
    assert "passing.html" in files(versions[0]).keys() - files(versions[1]).keys()
    # A page more, another one changed, two assets changed; of now, for the server tells by the time.
    host.folder = shutil.copytree(versions[0], tmp_path / "site", copy_function=shutil.copy)

    # The new page comes from the host while the version that has it is not kept yet.
    host.broken.add(LIST)
    reader.open("passing.html", page=page)
    page.get_by_text("It will be deleted").wait_for()
    assert shown(page)[1:] == ONE[1:]
    host.broken.clear()
    reader.open("first.html", page=page)
    assert shown(page) == TWO
    page.locator(NEW).wait_for()
    assert shown(reader.open("first.html", page=page)) == ONE
    host.stop()
    page.locator(".bd-sidebar-primary").get_by_role("link", name="Passing page").click()
    page.get_by_text("It will be deleted").wait_for()
    page.wait_for_load_state()
    assert shown(page)[1:] == ONE[1:]


def test_a_new_version_brings_only_what_changed(reader, host, versions):
    reader.visit_once()
    host.folder = versions[1]
    host.asked.clear()
    reader.open("intro.html").locator(NEW).wait_for()
    one, two = map(files, versions)
    changed = {name for name in two if one.get(name) != two[name]}
    assert changed <= set(host.asked)
    assert set(host.asked) <= changed | {LIST, "lightbook-worker.js"}


@pytest.mark.parametrize("fault", ["a file is missing", "a file is still the old one"])
def test_a_version_that_is_not_whole_does_no_harm(reader, host, versions, tmp_path, fault, wait_until):
    reader.visit_once()
    if fault == "a file is missing":
        host.folder = versions[1]
        host.broken.add("_static/late.txt")
    else:
        host.folder = shutil.copytree(versions[1], tmp_path / "half")
        shutil.copy(versions[0] / "_static" / "late.txt", host.folder / "_static")
    host.asked.clear()
    page = reader.open("first.html")
    wait_until(page, lambda: "_static/late.txt" in host.asked)
    for _ in range(2):
        assert shown(page) == ONE
        page.reload()
    host.stop()
    page.reload()
    assert shown(page) == ONE


def test_nothing_stays_of_a_version_that_cannot_be_kept_also_of_what_comes_late(
    reader, host, versions, wait_until
):
    page = reader.visit_once()
    one, two = map(files, versions)
    host.folder = versions[1]
    host.broken.add("_static/late.txt")
    host.slow.update(name for name in two if one.get(name) != two[name] and "late" not in name)
    host.asked.clear()
    reader.open("intro.html", page=page)
    wait_until(page, lambda: any("?failed" in address for address in kept_addresses(page)))
    page.wait_for_timeout(2000)
    assert len(host.slow & set(host.asked)) > 1
    digests = {after_mark(address) for address in kept_addresses(page)}
    assert digests & (set(two.values()) - set(one.values())) == set()
    assert set(one.values()) <= digests


def test_a_first_download_that_stops_does_no_harm_and_goes_on_at_the_next_visit(
    reader, host, versions, wait_until
):
    host.cut.add("_static/late.txt")
    host.asked.clear()
    page = reader.open("intro.html")
    wait_until(page, lambda: "_static/late.txt" in host.asked)
    everything = set(files(versions[0]))
    wait_until(page, lambda: len(kept_addresses(page)) > len(everything) / 2)
    page.wait_for_timeout(500)
    assert page.locator(NOTE).inner_text() == ""
    reader.open("first.html", page=page)  # from the host: nothing counts that is not whole
    assert page.evaluate("document.documentElement.dataset.asset") == "one"
    here = set(kept_addresses(page))
    assert not [address for address in here if "?current" in address or "?version=" in address]

    kept = {name for name in everything if any(address.split("?")[0].endswith(name) for address in here)}
    host.cut.clear()
    host.asked.clear()
    page = reader.visit_once("intro.html", page=page)
    # Not again what had come before. The page itself was asked for by the page.
    assert set(host.asked) & kept <= {"intro.html"} | loaded(page)
    host.stop()
    reader.open("first.html", page=page)
    assert shown(page) == ONE


def loaded(page):
    """The paths in the book of what a page loaded."""
    return set(
        page.evaluate(
            """() => performance.getEntriesByType("resource")
            .map(({ name }) => decodeURIComponent(new URL(name).pathname).replace("/some/book/", ""))"""
        )
    )


@pytest.mark.parametrize("says", [True, False], ids=["seen before", "seen on the way"])
def test_where_storage_is_short_nothing_is_kept_and_the_book_works(
    reader, host, versions, tmp_path, wait_until, says
):
    content = json.loads((versions[0] / LIST).read_text("utf-8"))
    size = sum((versions[0] / name).stat().st_size for name in content["files"])
    assert content["bytes"] == size
    page = reader.context.new_page()
    room = size * 3 // 4
    if says:  # as some browsers do; Chromium always says there is a lot
        host.folder = shutil.copytree(versions[0], tmp_path / "site")
        worker = host.folder / "lightbook-worker.js"
        estimate = f"navigator.storage.estimate = async () => ({{ quota: {room + 9}, usage: 9 }});\n"
        worker.write_text(estimate + worker.read_text("utf-8"), "utf-8")
    else:
        limit = {"origin": f"http://book.test:{host.port}", "quotaSize": room}
        page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", limit)
    host.asked.clear()
    reader.open("intro.html", page=page)
    wait_until(page, lambda: any("?failed" in address for address in kept_addresses(page)))
    assert [address for address in kept_addresses(page) if "?failed" not in address] == []
    others = set(host.asked) - loaded(page) - {LIST, "lightbook-worker.js", "intro.html"}
    assert (others == set()) == says
    assert page.locator(NOTE).inner_text() == ""
    reader.open("first.html", page=page)
    assert shown(page) == ONE
    assert reader.errors == []


def test_who_asks_for_little_data_gets_a_copy_only_when_asked_for(reader, host):
    host.asked.clear()
    reader.context.add_init_script(
        "Object.defineProperty(navigator.connection, 'saveData', { get: () => true })"
    )
    page = reader.open("first.html")
    page.locator(f"{NOTE}:has-text('is not kept')").wait_for()
    assert LIST not in host.asked
    page.get_by_role("button", name="Keep a copy").click()
    page.locator(KEPT).wait_for()
    host.stop()
    reader.open("intro.html", page=page)
    assert page.locator("article h1:has-text('A tiny book')").count() == 1


def test_the_reader_can_remove_the_copy_and_have_it_back(reader, host, wait_until):
    page = reader.visit_once()
    page.get_by_role("button", name="Remove the copy").click()
    page.locator(f"{NOTE}:has-text('is not kept')").wait_for()
    wait_until(page, "caches.keys().then((names) => names.length === 0)")
    page.reload()
    page.locator(f"{NOTE}:has-text('is not kept')").wait_for()
    assert page.evaluate("navigator.serviceWorker.getRegistration()") is None
    page.get_by_role("button", name="Keep a copy").click()
    page.locator(KEPT).wait_for()
    host.stop()
    reader.open("first.html", page=page)
    assert shown(page) == ONE


def test_a_book_that_is_no_longer_for_offline_reading_leaves_no_copy(
    reader, host, versions, tmp_path, wait_until
):
    page = reader.visit_once()
    host.folder = shutil.copytree(versions[1], tmp_path / "site")
    for name in (LIST, "lightbook-worker.js"):
        (host.folder / name).unlink()
    reader.open("first.html", page=page)
    wait_until(page, "caches.keys().then((names) => names.length === 0)")
    reader.open("first.html", page=page)
    assert shown(page) == TWO


def test_books_on_one_host_leave_each_other_alone(reader, host, wait_until):
    page = reader.visit_once()
    page.evaluate("caches.open('lightbook-0 files ' + location.origin + '/some/book/other/')")
    page.evaluate("caches.open('another application')")
    page.get_by_role("button", name="Remove the copy").click()
    wait_until(page, "caches.keys().then((names) => names.length === 2)")


def test_two_books_on_one_host_are_kept_and_removed_each_by_itself(
    reader, host, versions, mended, tmp_path, wait_until
):
    """One below the other's address: its pages are in the reach of both workers."""
    host.folder = shutil.copytree(versions[0], tmp_path / "books")
    shutil.copytree(mended.site, host.folder / "other")
    page = reader.visit_once()
    other = reader.visit_once("other/intro.html")
    host.stop()
    reader.open("first.html", page=page)
    assert shown(page) == ONE
    for name in ("maths.html", "plain.html", "search.html?q=kangaroo", "no/such/page"):
        reader.open(f"other/{name}", page=other)
        assert other.locator("main h1:visible").count() == 1, name
        assert other.evaluate("document.documentElement.dataset.asset") is None
    assert other.get_by_role("link", name="Go to the first page").count() == 1

    host.start()
    reader.open("other/intro.html", page=other).get_by_role("button", name="Remove the copy").click()
    below = [f"{host.address('other/', 'book.test')}"]
    wait_until(page, lambda: not [url for url in kept_addresses(page) if url.startswith(tuple(below))])
    host.stop()
    reader.open("first.html", page=page)
    assert shown(page) == ONE
    reader.open("search.html?q=kangaroo", page=page)
    page.locator("#search-results .context:has-text('kangaroo')").first.wait_for()


def test_a_book_does_not_take_the_copy_of_the_one_above_it_for_its_own(
    reader, host, versions, mended, tmp_path
):
    host.folder = shutil.copytree(versions[0], tmp_path / "books")
    shutil.copytree(mended.site, host.folder / "other")
    page = reader.visit_once()
    host.broken.add("other/lightbook-worker.js")  # so that the worker above goes on to speak to its pages
    other = reader.open("other/intro.html")
    other.wait_for_load_state("networkidle")
    other.evaluate("navigator.serviceWorker.addEventListener('message', ({ data }) => { heard = data; })")
    reader.open("first.html", page=page)
    assert other.evaluate(
        "() => new Promise((done) => setInterval(() => window.heard && done(heard), 50))"
    ) == {"lightbook": "kept"}
    assert other.locator(NOTE).inner_text() == ""


def patient(site, folder):
    """A copy of a site whose worker gives a slow machine more time to bring what was built."""
    copy = shutil.copytree(site, folder / site.name)
    worker = copy / "lightbook-worker.js"
    text = worker.read_text("utf-8")
    assert "PATIENCE_MS = 2000;" in text
    worker.write_text(text.replace("PATIENCE_MS = 2000;", "PATIENCE_MS = 25000;"), "utf-8")
    return copy


def test_on_the_author_s_machine_a_page_is_what_was_built(reader, host, versions, tmp_path):
    one, two = (patient(site, tmp_path) for site in versions)
    host.folder = one
    page = reader.visit_once("first.html", at="127.0.0.1")
    host.folder = two
    page.reload()
    assert shown(page) == TWO
    host.stop()
    page.reload()
    assert shown(page) == TWO


def test_nothing_is_kept_of_a_page_from_a_disk_or_an_unsafe_host(reader, versions):
    for address in (None, (versions[0] / "first.html").as_uri()):
        page = reader.open("first.html", at="plain.test") if address is None else reader.context.new_page()
        if address:
            page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.dataset.asset") == "one"
        assert page.locator(NOTE).inner_text() == ""
        assert page.locator("link[rel=manifest]").count() == 0
        assert page.evaluate("isSecureContext") == (address is not None)
        # The book works as ever.
        page.set_viewport_size({"width": 360, "height": 740})
        page.locator(".primary-toggle:visible").first.click()
        page.locator("#pst-primary-sidebar-modal").get_by_role("link", name="Wörter").click()
        page.locator("article h1:has-text('Wörter')").wait_for()
        page.keyboard.press("Control+k")
        page.keyboard.type("wallaby")
        page.keyboard.press("Enter")
        page.locator("#search-results li a").first.click()
        page.locator("article .highlighted").first.wait_for()
    assert reader.errors == []
