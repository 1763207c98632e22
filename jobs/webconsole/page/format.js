// Values as people read them, and elements made of text alone: nothing that a log says becomes markup.

export const NONE = "–";

export function number(value, unit = "") {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  const digits = Math.max(3, Math.ceil(Math.log10(Math.abs(value) + 1)));
  const text = value.toLocaleString("en", { maximumSignificantDigits: digits });
  return unit ? `${text} ${unit}` : text;
}

export function moment(at) {
  const date = typeof at === "number" ? new Date(at * 1000) : new Date(at);
  if (at === null || at === undefined || Number.isNaN(date.getTime())) return NONE;
  return date.toLocaleString("sv", { dateStyle: "short", timeStyle: "medium" });
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function fill(id, ...children) {
  document.getElementById(id).replaceChildren(...children);
}

export function table(id, caption, heads, rows) {
  const head = element("tr", {}, ...heads.map((title) => element("th", { scope: "col" }, title)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  fill(id, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
}
