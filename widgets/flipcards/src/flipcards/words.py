"""The words that the package itself shows a reader: one catalogue, so that a translation is one table."""

SOURCE = "Source"
TERM = "Term"
SEE = "Shown in"
QUESTION_LINKS = "In the question"
HOME = "Go to this card's own page"
REPORT = "Report a mistake"
FLIPBOOK_NUMBERS = "The numbers of every setting"
FLIPBOOK_FAILED = "{setting}: {error}"
ANKI = "Download for Anki"
ALL_CARDS = "All cards of the book"
TODAY_NOSCRIPT = (
    "What is due today is worked out in your browser, which needs JavaScript. All cards are below."
)
TODAY_ELSEWHERE = "What is due today is worked out on the web page of this book."


def count(cards: int) -> str:
    """How many cards there are."""
    return f"{cards} {'card' if cards == 1 else 'cards'}"


def left_out(cards: int) -> str:
    """How many cards a notebook shows only while Python runs."""
    return f"{count(cards)} more: run the notebook to see {'it' if cards == 1 else 'them'}."
