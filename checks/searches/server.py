"""What is asked of a server over HTTP: JSON in, JSON out. Decimals keep their digits."""

import http.client
import json
from decimal import Decimal
from urllib.parse import urlsplit


class Server:
    def __init__(self, base):
        parts = urlsplit(base)
        self.base, self.path = base, parts.path
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=300)

    def ask(self, method, path, body=None, headers=()):
        sent = {"Accept": "application/fhir+json", **dict(headers)}
        if body is not None:
            sent["Content-Type"] = "application/fhir+json"
            body = json.dumps(body).encode()
        path = path.removeprefix(self.base)
        self.connection.request(method, self.path + path, body, sent)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text, parse_float=Decimal) if text else None

    def pages(self, query):
        """All pages of a search, in their order."""
        path = "/" + query
        while path:
            status, page = self.ask("GET", path)
            if status != 200:
                raise AssertionError(f"{query}: {status} {json.dumps(page, default=str)[:600]}")
            yield page
            path = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
