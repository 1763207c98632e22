"""OSS documents: written from nested pairs, read without the parts of XML that can be turned against a server."""

import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from emulator.errors import ApiError

# The value of an element: its text, or the pairs of the elements in it. None leaves the element out.
Value = str | int | None | Iterable["tuple[str, Value]"]

# Keys may have control characters, which clients write as references that XML itself does not allow. They are read
# as characters from the end of a private use area.
_CONTROL = re.compile(rb"&#(?:x0*([01]?[0-9a-f])|0*([12]?[0-9]|3[01]));", re.IGNORECASE)
_CONTROL_BASE = 0x10FF00
_CONTROLS = {_CONTROL_BASE + code: chr(code) for code in range(0x20)}
_REFERENCES = {code: f"&#{code};" for code in range(0x20) if chr(code) not in "\t\n\r"}

MAX_DEPTH = 20
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def write(root: str, members: Value) -> bytes:
    """The document whose root element holds `members`, in their order."""
    parts = [DECLARATION]
    _write(parts, root, members)
    return "".join(parts).encode()


def _write(parts: list[str], name: str, value: Value) -> None:
    if value is None:
        return
    if isinstance(value, str | int):
        text = str(value).lower() if isinstance(value, bool) else str(value).translate(_ESCAPES)
        parts.append(f"<{name}>{text}</{name}>")
        return
    parts.append(f"<{name}>")
    for member, nested in value:
        _write(parts, member, nested)
    parts.append(f"</{name}>")


class _Builder(ElementTree.TreeBuilder):
    """Accepts what OSS's documents are made of, and nothing that could grow or nest without end."""

    _depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ElementTree.ParseError(f"elements are nested more than {MAX_DEPTH} deep")
        return super().start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise ElementTree.ParseError(f"a document type ({name}) is not accepted")


def read(document: bytes, root: str) -> Element:
    """The root element of `document`, names without their namespaces; MalformedXML unless it is called `root`."""
    # Entities need a document type, which is refused: nothing in the document can expand or reach out.
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314
    try:
        parser.feed(_CONTROL.sub(_private, document))
        element: Element = parser.close()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise malformed(str(error)) from None
    for each in element.iter():
        each.tag = each.tag.rpartition("}")[2]
        each.text = each.text.translate(_CONTROLS) if each.text else each.text
    if element.tag != root:
        raise malformed(f"the root element is {element.tag}, not {root}")
    return element


def _private(reference: re.Match[bytes]) -> bytes:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return chr(_CONTROL_BASE + code).encode()


def text(parent: Element, path: str, default: str = "") -> str:
    return (parent.findtext(path) or default).strip()


def required(parent: Element, path: str) -> str:
    """The text of the element at `path`; MalformedXML when it is absent or empty."""
    found = text(parent, path)
    if not found:
        raise malformed(f"{parent.tag} has no {path}")
    return found


def choice(parent: Element, path: str, allowed: Iterable[str]) -> str:
    """The text of the element at `path`, one of `allowed`; MalformedXML otherwise."""
    found = required(parent, path)
    if found not in (names := tuple(allowed)):
        raise malformed(f"{path} is {found}, not one of {', '.join(names)}")
    return found


def canonical(element: Element) -> bytes:
    """The document again, without the white space between its elements."""
    for each in element.iter():
        if len(each) and not (each.text or "").strip():
            each.text = None
        each.tail = None
    return (DECLARATION + ElementTree.tostring(element, encoding="unicode").translate(_REFERENCES)).encode()


def malformed(why: str, **details: Any) -> ApiError:
    message = f"The XML you provided was not well-formed or did not validate against our published schema: {why}."
    return ApiError("MalformedXML", message, 400, details=details)
