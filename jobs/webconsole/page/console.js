// One stack on one page: asks the server every few seconds, and shows what it answers.

import { show } from "./charts.js";
import { NONE, element, fill, moment, number, table } from "./format.js";

const EVERY_MS = 5000;
const RANGES = { "1h": "1 hour", "6h": "6 hours", "1d": "1 day", "7d": "7 days" };
const chosen = { key: null, range: "1h" };
let stack = null;

const byId = (id) => document.getElementById(id);

async function ask(path) {
  const response = await fetch(path);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || response.statusText);
  return answer;
}

function complain(error) {
  const place = byId("problem");
  place.hidden = !error;
  place.textContent = error ? `Not up to date: ${error.message}` : "";
}

// What is asked for later may be answered sooner: only what is still chosen is shown.
async function refresh() {
  try {
    stack = await ask("/api/stack");
    if (!chosen.key && stack.services.length) choose(stack.services[0].key);
    showStack();
    if (chosen.key) await refreshService(chosen.key, chosen.range);
    byId("state").textContent = `Now ${moment(stack.now)}`;
    complain(null);
  } catch (error) {
    complain(error);
  }
}

async function refreshService(key, range) {
  const path = `/api/services/${encodeURIComponent(key)}`;
  const [service, metrics] = await Promise.all([ask(path), ask(`${path}/metrics?range=${range}`)]);
  if (key !== chosen.key || range !== chosen.range) return;
  showService(service);
  show(byId("charts"), metrics, service.scaling?.plan);
}

function showStack() {
  byId("stack").textContent = stack.stack;
  byId("where").textContent = stack.where;
  document.title = `${stack.alarms.firing.length ? `(${stack.alarms.firing.length}) ` : ""}${stack.stack} · Paistack`;
  showServices();
  showAlarms();
  showOutbox();
  byId("traffic").hidden = !stack.traffic.length;
  fill("splits", ...stack.traffic.map(split));
}

function showServices() {
  const wanted = byId("filter").value.toLowerCase();
  const firing = new Map(stack.alarms.firing.map((alarm) => [alarm.service, alarm.level]));
  const listed = stack.services.filter((service) => service.key.includes(wanted) || service.name.includes(wanted));
  const rows = listed.map((service) => {
    const alarm = firing.get(service.key);
    return element("li", {}, element(
      "a",
      { href: `#${encodeURIComponent(service.key)}`, "aria-current": service.key === chosen.key ? "true" : null },
      element("span", {}, service.key),
      element("span", { class: "right" }, number(service.newest.qps, "/s")),
      element("small", { class: health(service) }, `${service.status}, ${service.ready} of ${service.wanted} ready`),
      element("small", { class: `right ${alarm ? "bad" : ""}` }, alarm ? "alarm" : number(service.newest.latency_ms, "ms")),
    ));
  });
  const focused = document.activeElement?.closest?.("#services a")?.getAttribute("href");
  fill("services", ...(rows.length ? rows : [element("li", { class: "dim" }, "No service")]));
  if (focused) byId("services").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function health(service) {
  if (service.status === "Running" && service.ready >= service.wanted) return "good";
  return ["Failed", "NotDeployed", "Stopped"].includes(service.status) ? "bad" : "warn";
}

function showAlarms() {
  const { firing, past, rules } = stack.alarms;
  byId("alarms-title").textContent = firing.length ? `Alarms: ${firing.length} firing` : "Alarms: none firing";
  fill("firing", ...(firing.length
    ? firing.map((alarm) => element(
      "li", { class: alarm.level },
      `${alarm.level}: ${alarm.service}, ${alarm.no_data ? "no data" : alarm.metric} ${alarm.text} `,
      element("time", {}, alarm.since ? `since ${moment(alarm.since)}` : ""),
    ))
    : [element("li", { class: "dim" }, rules ? `${rules} rules watch.` : "No rule watches: give monitoring.contacts.")]));
  byId("past-title").textContent = `Past alarms of 15 days (${past.length})`;
  table("past", "Newest first", ["Time", "Level", "Service", "Rule", "Reached"], past.slice(0, 200).map((alarm) => [
    moment(alarm.at), element("span", { class: alarm.level }, alarm.level), alarm.service, `${alarm.metric} ${alarm.text}`,
    Object.entries(alarm.reached).map(([channel, count]) => `${channel} ${count}`).join(", ") || "nobody",
  ]));
}

// Only an emulator keeps what it would have sent; the cloud sends it.
function showOutbox() {
  const messages = stack.outbox;
  byId("outbox").hidden = !messages;
  if (!messages) return;
  byId("outbox-title").textContent = `Outbox of the emulator (${messages.length})`;
  table("sent", "What the cloud would have sent, newest first", ["Time", "By", "To", "Message"], messages.map((message) => [
    moment(message.time), message.channel, message.contact, `${message.subject} ${message.text}`,
  ]));
}

function split(group) {
  const parts = group.versions.filter((version) => version.share > 0).map((version) => {
    const part = element("span", { title: version.service }, `${version.version} ${number(version.share * 100)} %`);
    part.style.flex = version.share;
    return part;
  });
  const none = group.versions.filter((version) => version.share === 0).map((version) => version.version).join(", ");
  return element(
    "div", {},
    element("p", {}, `${group.group} (${group.mode})`, none ? element("span", { class: "dim" }, `; no requests: ${none}`) : null),
    element("div", { class: "share" }, ...parts),
  );
}

function showService(service) {
  const summary = stack.services.find((each) => each.key === chosen.key);
  byId("service-title").textContent = `Service ${chosen.key}`;
  const { settings, scaling } = service;
  const now = summary.newest;
  tiles({
    Status: summary.status,
    Replicas: `${summary.ready} of ${summary.wanted}`,
    Version: summary.version ?? NONE,
    Requests: number(now.qps, "/s"),
    "Response time": number(now.latency_ms, "ms"),
    "99th percentile": number(now.latency_p99_ms, "ms"),
    "Errors 4xx, 5xx": `${number(now.client_errors_percent)}, ${number(now.server_errors_percent)} %`,
    Model: `${settings.model} (${settings.runtime})`,
    Machine: settings.instance_type,
  });
  table("replicas", summary.message || "Newest first", ["Name", "State", "Started", "Restarts"], service.replicas.map((replica) => [
    replica.name + (replica.spot ? " (spot)" : ""),
    element("span", { class: replica.ready ? "good" : "warn", title: replica.reason }, replica.ready ? "ready" : replica.status),
    moment(replica.started), String(replica.restarts),
  ]));
  fill("events", ...(service.events.length ? service.events.slice(0, 100).map((event) => element(
    "li", { class: event.warning ? "warn" : "" },
    element("time", {}, moment(event.at)), ` ${event.scaling ? "⇅ " : ""}${event.reason}: ${event.text}`,
  )) : [element("li", { class: "dim" }, "Nothing happened in the last days.")]));
  byId("plan").hidden = !scaling;
  if (scaling) byId("plan-text").textContent = scalingInWords(scaling);
}

function tiles(values) {
  fill("tiles", ...Object.entries(values).map(([name, value]) => element(
    "div", {}, element("dt", {}, name), element("dd", {}, String(value)),
  )));
}

function scalingInWords({ least, most, thresholds, plan }) {
  const words = [];
  if (least !== undefined) {
    const targets = Object.entries(thresholds).map(([metric, value]) => `${metric} ${number(value)}`).join(", ");
    words.push(`${least} to ${most} replicas, target per replica: ${targets}.`);
  }
  if (plan?.problem) words.push(plan.problem);
  else if (plan) {
    const next = plan.steps.find((step) => new Date(step.at) / 1000 > stack.now);
    words.push(`Plan by ${plan.method} until ${moment(plan.until)}: ${plan.why}.`);
    if (next) words.push(`Next: ${next.replicas} replicas at ${moment(next.at)}.`);
  } else words.push("No plan: by load alone.");
  return words.join(" ");
}

async function search(event) {
  event?.preventDefault();
  const key = chosen.key;
  if (!key) return;
  const asked = new URLSearchParams([...new FormData(byId("search"))].filter(([, value]) => value !== ""));
  byId("found").textContent = "Searching …";
  try {
    const { lines, more } = await ask(`/api/services/${encodeURIComponent(key)}/logs?${asked}`);
    if (key !== chosen.key) return;
    byId("found").textContent = `${more ? "The newest " : ""}${lines.length} lines`;
    fill("lines", ...lines.map(logLine));
    byId("lines").parentElement.scrollTop = byId("lines").scrollHeight;
  } catch (error) {
    byId("found").textContent = error.message;
    fill("lines");
  }
}

function logLine({ at, level, text, fields }) {
  const id = fields.request_id;
  const line = element("li", { class: { warning: "warn", error: "bad", critical: "bad" }[level] ?? "" });
  line.append(element("time", {}, `${at} `));
  if (!Object.keys(fields).length) return line.append(text), line;
  const { time, level: _, event, ...rest } = fields;
  const told = Object.entries(rest).map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`);
  line.append(`${level} ${event ?? ""} `, element("span", { class: "dim" }, told.filter((each) => !id || each !== `request_id=${id}`).join(" ")));
  if (id) {
    const link = element("a", { href: `#${encodeURIComponent(chosen.key)}`, title: "All lines of this request" }, ` ${id}`);
    link.addEventListener("click", (event_) => {
      event_.preventDefault();
      byId("search").elements.request_id.value = id;
      search();
    });
    line.append(link);
  }
  return line;
}

function choose(key) {
  chosen.key = key;
  fill("lines");
  byId("found").textContent = "";
  byId("search").elements.request_id.value = "";
  if (decodeURIComponent(location.hash.slice(1)) !== key) history.replaceState(null, "", `#${encodeURIComponent(key)}`);
}

function rangeButtons() {
  for (const [value, label] of Object.entries(RANGES)) {
    const input = element("input", { type: "radio", name: "range", value, checked: value === chosen.range });
    input.addEventListener("change", () => {
      chosen.range = value;
      refresh();
    });
    byId("ranges").append(element("label", {}, input, label));
  }
}

async function live() {
  await refresh();
  setTimeout(live, document.hidden ? EVERY_MS * 6 : EVERY_MS);
}

rangeButtons();
byId("filter").addEventListener("input", () => stack && showServices());
byId("search").addEventListener("submit", search);
addEventListener("hashchange", () => {
  choose(decodeURIComponent(location.hash.slice(1)));
  refresh();
});
if (location.hash.length > 1) choose(decodeURIComponent(location.hash.slice(1)));
live();
