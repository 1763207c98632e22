// Courses of values over time, drawn by uPlot. Each figure says in words what its lines are and what they are now.

import { element, number } from "./format.js";

const HEIGHT = 190;

// Each: title, unit, and its lines by the names that the server has for them.
const CHARTS = [
  { id: "qps", title: "Requests", unit: "/s", lines: { qps: "per second" } },
  {
    id: "latency", title: "Response time", unit: "ms",
    lines: { latency_ms: "mean", latency_p90_ms: "90th percentile", latency_p99_ms: "99th percentile" },
  },
  {
    id: "answers", title: "Answers that are errors", unit: "%",
    lines: { client_errors_percent: "4xx", server_errors_percent: "5xx" },
  },
  { id: "cpu", title: "Processors per replica", unit: "cores", lines: { cpu_cores: "mean" } },
  { id: "memory", title: "Memory per replica", unit: "MiB", lines: { memory_mib: "mean" } },
];

// What jobs report, where they do.
const REPORTED = [
  { id: "replicas", title: "Ready replicas", unit: "", lines: { ready_replicas: "ready" } },
  {
    id: "quality", title: "Model quality", unit: "%",
    lines: { accuracy_percent: "accuracy", recall_percent: "recall", f1_percent: "F1" },
  },
  {
    id: "drift", title: "Drift against training", unit: "PSI",
    lines: { prediction_drift_psi: "predictions", input_drift_psi: "inputs" },
  },
  { id: "forecast", title: "Forecast error", unit: "%", lines: { forecast_error_percent: "of the load" } },
  { id: "cost", title: "Cost", unit: "CNY/day", lines: { cost_cny_per_day: "replicas" } },
];

// What is expected, where somebody planned by it.
const PLANNED = [
  {
    id: "plan-load", title: "Expected load", unit: "/s",
    lines: { qps: "expected", low_qps: "one in twenty is below", high_qps: "one in twenty is above" },
  },
  { id: "plan-replicas", title: "Planned replicas", unit: "", lines: { replicas: "at least" }, stepped: true },
];

const drawn = new Map();

export function show(container, metrics, plan) {
  const wanted = [
    ...planned(plan),
    ...CHARTS.map((chart) => [chart, metrics.times, metrics.values]),
    ...REPORTED.filter((chart) => Object.keys(chart.lines).some((line) => metrics.reported[line])).map((chart) => [
      chart,
      ...joined(metrics.reported, Object.keys(chart.lines), metrics.times),
    ]),
  ];
  const ids = new Set(wanted.map(([chart]) => chart.id));
  for (const [id, one] of drawn) {
    if (ids.has(id)) continue;
    one.plot.destroy();
    one.figure.remove();
    drawn.delete(id);
  }
  for (const [chart, times, values] of wanted) update(container, chart, times, values);
}

function planned(plan) {
  if (!plan?.expected?.length) return [];
  const seconds = (at) => new Date(at) / 1000;
  const hours = plan.expected.map((hour) => seconds(hour.at));
  const loads = Object.fromEntries(
    Object.keys(PLANNED[0].lines).map((line) => [line, plan.expected.map((hour) => hour[line])]),
  );
  const replicas = plan.steps.map((step) => step.replicas);
  const until = [...plan.steps.map((step) => seconds(step.at)), seconds(plan.until)];
  return [
    [PLANNED[0], hours, loads],
    [PLANNED[1], until, { replicas: [...replicas, replicas.at(-1) ?? null] }],
  ];
}

// Values that jobs report come at times of their own, and are shown over the same stretch as the others.
function joined(reported, lines, shown) {
  const ends = [shown[0], shown.at(-1)];
  const known = lines.flatMap((line) => (reported[line] || []).map(([at]) => at));
  const times = [...new Set([...known, ...ends])].sort((a, b) => a - b);
  const values = {};
  for (const line of lines) {
    const by = new Map(reported[line] || []);
    values[line] = times.map((at) => by.get(at) ?? null);
  }
  return [times, values];
}

function update(container, chart, times, values) {
  const lines = Object.keys(chart.lines);
  const data = [times, ...lines.map((line) => values[line])];
  let one = drawn.get(chart.id);
  if (!one) {
    one = create(container, chart, data);
    drawn.set(chart.id, one);
  } else {
    one.plot.setData(data);
  }
  describe(one, chart, data, null);
}

function create(container, chart, data) {
  const place = element("div", { "aria-hidden": "true" });
  const legend = element("p", { class: "legend" });
  const unit = chart.unit ? element("small", {}, ` in ${chart.unit}`) : null;
  const figure = element("figure", { id: `chart-${chart.id}` }, element("figcaption", {}, chart.title, unit), place, legend);
  container.append(figure);
  const one = { figure, place, legend, plot: null };
  one.plot = new uPlot(options(one, chart, place.clientWidth || 400), data, place);
  return one;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const strokes = ["--a", "--b", "--d"];

function options(one, chart, width) {
  const axis = { stroke: () => colour("--soft"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: PLANNED.includes(chart) ? "plan" : "time" }, drag: { x: true, y: false } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, space: 60, values: (_, times, __, ___, step) => times.map((at) => mark(at, step)) }, { ...axis, size: 58, values: (_, marks) => marks.map((mark) => number(mark)) }],
    series: [
      {},
      ...Object.keys(chart.lines).map((line, index) => ({
        label: chart.lines[line],
        stroke: () => colour(strokes[index]),
        width: 1.6,
        paths: chart.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
        spanGaps: REPORTED.includes(chart),
        points: { show: REPORTED.includes(chart) },
      })),
    ],
    hooks: { setCursor: [(plot) => describe(one, chart, plot.data, plot.cursor.idx)] },
  };
}

// A day's marks tell the time, a week's the day.
function mark(at, step_s) {
  const shown = step_s >= 86400 ? { month: "2-digit", day: "2-digit" } : { hour: "2-digit", minute: "2-digit" };
  return new Date(at * 1000).toLocaleString("sv", shown);
}

// The value under the cursor; without one the newest, and the highest of what is shown.
function describe(one, chart, data, index) {
  const parts = Object.values(chart.lines).map((label, line) => {
    const values = data[line + 1];
    const at = index ?? values.findLastIndex((value) => value !== null);
    const told = index === null || index === undefined
      ? `${label}: ${number(values[at])}, at most ${number(highest(values))}`
      : `${label}: ${number(values[at])}`;
    const mark = element("b", { "aria-hidden": "true" });
    mark.style.background = `var(${strokes[line]})`;
    return element("span", {}, mark, told);
  });
  one.legend.replaceChildren(...parts);
}

function highest(values) {
  let most = null;
  for (const value of values) if (value !== null && (most === null || value > most)) most = value;
  return most;
}

function redraw() {
  for (const { plot, place } of drawn.values()) {
    plot.setSize({ width: place.clientWidth, height: HEIGHT });
  }
}

new ResizeObserver(redraw).observe(document.documentElement);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const { plot } of drawn.values()) plot.redraw(false, true);
});
