"""The words that the package itself shows a reader: one catalogue, so that a translation is one table."""

SOURCE = "Source"
TERM = "Term"
SEE = "Shown in"
QUESTION_LINKS = "In the question"
HOME = "Go to this card's own page"
REPORT = "Report a mistake"
ANKI = "Download for Anki"
