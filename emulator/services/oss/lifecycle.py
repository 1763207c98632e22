"""Lifecycle rules."""

from xml.etree.ElementTree import Element, SubElement

from emulator.services.oss import xml

_ACTIONS = (
    "Expiration",
    "Transition",
    "AbortMultipartUpload",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
)


def check_lifecycle(root: Element) -> None:
    """MalformedXML unless the rules can be applied; rules without an id are given one."""
    rules = root.findall("Rule")
    if not 1 <= len(rules) <= 1000:
        raise xml.malformed(f"there must be 1 to 1000 Rule, found {len(rules)}")
    seen: set[str] = set()
    for number, rule in enumerate(rules, 1):
        if not xml.text(rule, "ID"):
            _set_id(rule, f"rule-{number}")
        name = xml.text(rule, "ID")
        if name in seen:
            raise xml.malformed(f"there are two rules with the ID {name}")
        seen.add(name)
        xml.choice(rule, "Status", ("Enabled", "Disabled"))
        if not any(rule.find(action) is not None for action in _ACTIONS):
            raise xml.malformed(f"rule {name} has no action; it needs one of {', '.join(_ACTIONS)}")


def _set_id(rule: Element, name: str) -> None:
    element = rule.find("ID")
    if element is None:
        element = SubElement(rule, "ID")
    element.text = name
