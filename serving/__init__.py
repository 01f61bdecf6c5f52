"""Tell a person: score, reasons and proposal, in sentences, pages and an API."""
