"""Reading XML of a RIVTA domain by name, with a place (an XPath without prefixes) for everything that is wrong."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from lxml import etree

from mappings.codes.numbers import read_decimal, read_whole
from mappings.codes.times import read_compact, to_utc
from mappings.collecting import Problems

NAMESPACE: Final = "urn:riv:clinicalprocess:activityprescription:actoutcome"
"""What the namespaces of the domain begin with: core components, responder, and the additions of later minor versions."""

MAX_BYTES: Final = 8_000_000
MAX_TEXT: Final = 4_000
_SOAP_NAMESPACES: Final = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")


class Element:
    """An element of a message: reads its children by name and notes what is missing or unreadable."""

    def __init__(self, node: etree._Element, place: str, problems: Problems) -> None:
        self._node = node
        self.place = place
        self.problems = problems

    def at(self, name: str) -> str:
        """Return the XPath of a child."""
        return f"{self.place}/{name}"

    def with_problems(self, problems: Problems) -> "Element":
        """Return the same element, noting its problems elsewhere."""
        return Element(self._node, self.place, problems)

    def child(self, name: str, *, required: bool = False) -> "Element | None":
        """Return the only child of this name."""
        nodes = self._nodes(name)
        if len(nodes) > 1:
            self.problems.add("contradiction", self.at(name), "stands several times, at most one is allowed")
        if not nodes:
            if required:
                self.problems.add("missing", self.at(name), "is required")
            return None
        return Element(nodes[0], self.at(name), self.problems)

    def children(self, name: str) -> "tuple[Element, ...]":
        """Return all children of this name; the place counts from one."""
        nodes = self._nodes(name)
        return tuple(
            Element(node, f"{self.at(name)}[{number}]", self.problems) for number, node in enumerate(nodes, start=1)
        )

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Return the text of a child without surrounding blanks; an empty one is not there."""
        child = self.child(name, required=required)
        return None if child is None else child.own_text(required=required)

    def own_text(self, *, required: bool = False) -> str | None:
        """Return the element's own text without surrounding blanks; an empty one is not there."""
        if len(self._node):
            self.problems.add("unreadable", self.place, "must hold text only")
            return None
        text = (self._node.text or "").strip()
        if len(text) > MAX_TEXT:
            self.problems.add("too-long", self.place, f"has more than {MAX_TEXT} characters; shorten it at the source")
            return None
        if not text and required:
            self.problems.add("missing", self.place, "is required")
        return text or None

    def decimal(self, name: str, *, required: bool = False) -> Decimal | None:
        """Return an exact number; ``xs:double`` is read as the digits that stand there."""
        text = self.text(name, required=required)
        return None if text is None else self.problems.keep(read_decimal(text, self.at(name)))

    def whole(self, name: str, *, required: bool = False) -> int | None:
        """Return a whole number."""
        text = self.text(name, required=required)
        return None if text is None else self.problems.keep(read_whole(text, self.at(name)))

    def flag(self, name: str) -> bool | None:
        """Return an ``xs:boolean``."""
        text = self.text(name)
        if text in {None, "true", "1", "false", "0"}:
            return None if text is None else text in {"true", "1"}
        self.problems.add("unreadable", self.at(name), "write true or false")
        return None

    def local_time(self, name: str, *, required: bool = False) -> datetime | None:
        """Return a ``TimeStampType``: a wall-clock time without zone."""
        text = self.text(name, required=required)
        return None if text is None else self.problems.keep(read_compact(text, self.at(name)))

    def instant(self, name: str, zone: str, *, required: bool = False) -> datetime | None:
        """Return a ``TimeStampType`` as UTC, by the clock of the source's zone."""
        local = self.local_time(name, required=required)
        return None if local is None else self.problems.keep(to_utc(local, zone, self.at(name)))

    def _nodes(self, name: str) -> list[etree._Element]:
        return [node for node in self._node if _is_ours(node) and etree.QName(node).localname == name]


def parse(data: bytes, root: str, problems: Problems) -> Element | None:
    """Return the root element of a message (as it stands, or in the body of a SOAP envelope), or note why not."""
    if len(data) > MAX_BYTES:
        problems.add("too-long", "/", f"send at most {MAX_BYTES} bytes in one message")
        return None
    parser = etree.XMLParser(
        no_network=True,
        resolve_entities=False,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        node = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        problems.add("unreadable", f"/ (line {line}, column {column})", "correct the XML syntax here")
        return None
    if node.getroottree().docinfo.internalDTD is not None:
        problems.add("unsupported", "/", "send no DOCTYPE: entities are not read")
        return None
    node = _soap_payload(node)
    if not _is_ours(node) or etree.QName(node).localname != root:
        problems.add("unsupported", "/", f"this reader reads {root} of {NAMESPACE}, version 2")
        return None
    return Element(node, f"/{root}", problems)


def _soap_payload(node: etree._Element) -> etree._Element:
    name = etree.QName(node)
    if name.namespace not in _SOAP_NAMESPACES or name.localname != "Envelope":
        return node
    bodies = [child for child in node if etree.QName(child).localname == "Body"]
    return bodies[0][0] if len(bodies) == 1 and len(bodies[0]) == 1 else node


def _is_ours(node: etree._Element) -> bool:
    namespace = etree.QName(node).namespace or ""
    return namespace.startswith(NAMESPACE) and namespace.rpartition(":")[2].partition(".")[0] == "2"
