// Elements that several views have.

import { attempt, say } from "./api.js";

// el("p", {class: "note"}, "text", child): an element. Properties that begin with "on" are listeners.
export function el(name, properties = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) found.addEventListener(key.slice(2), value);
    else if (value === true) found.setAttribute(key, "");
    else if (value !== false && value != null) found.setAttribute(key, value);
  }
  found.append(...children.filter((child) => child != null));
  return found;
}

export const words = (item) => (item.label ? `${item.origin}, ${item.label}` : item.origin);
export const shownMasks = { on: true };
export const source = (item) => (item.marked && shownMasks.on ? item.marked : item.png);

// An image that is kept by a click, compared by a click with Shift, and opened by its words.
export function tile(item, tray, compare) {
  const button = el("button", {
    type: "button",
    "aria-pressed": String(tray.has(item.id)),
    title: "click: keep; Shift and click: compare",
    onclick: (event) => (event.shiftKey && compare ? compare(item) : tray.toggle(item.id)),
  }, el("img", { src: source(item), alt: words(item) }));
  button.dataset.id = item.id;
  return el("li", { class: "tile" }, button, el("a", { href: `#image/${item.id}` }, words(item)));
}

export function command(text) {
  const copy = el("button", { type: "button", onclick: () => attempt(async () => {
    await navigator.clipboard.writeText(text);
    say("copied");
  }) }, "Copy");
  return el("div", {}, el("code", { class: "command", tabindex: 0 }, text), copy);
}

// A range with its number: control.input, control.value.
export function slider(name, low, high, step, value, onchange = () => {}) {
  const input = el("input", { type: "range", min: low, max: high, step, value, oninput: () => change() });
  const output = el("span", { class: "value" }, String(value)); // an <output> would take the label from the input
  const change = () => { output.textContent = input.value; onchange(Number(input.value)); };
  return {
    node: el("label", {}, el("span", {}, `${name}: `, output), input),
    input,
    get value() { return Number(input.value); },
    set(value) { input.value = value; output.textContent = input.value; },
  };
}

export function number(name, value, low, high, step = 1) {
  const input = el("input", { type: "number", value, min: low, max: high, step, required: true });
  return { node: el("label", {}, name, input), input, get value() { return Number(input.value); } };
}

// A chooser for each attribute: chooser.value is {name: value} of those chosen.
export function labelChooser(about, any = "any") {
  const controls = about.attributes.map((one) => {
    if (one.kind === "number") {
      const input = el("input", {
        type: "number", step: "any", min: one.low, max: one.high, placeholder: `${one.low} to ${one.high}`,
      });
      return { one, input, read: () => (input.value === "" ? undefined : Number(input.value)) };
    }
    if (one.kind === "several") {
      const input = el("select", { multiple: true, size: Math.min(4, one.values.length) },
        ...one.values.map((value) => el("option", { value }, value)));
      const read = () => { const all = [...input.selectedOptions].map((option) => option.value); return all.length ? all : undefined; };
      return { one, input, read };
    }
    const input = el("select", {}, el("option", { value: "" }, any), ...one.values.map((value, index) => el("option", { value: index }, value)));
    return { one, input, read: () => (input.value === "" ? undefined : one.values[Number(input.value)]) };
  });
  return {
    nodes: controls.map(({ one, input }) => el("label", {}, one.name, input)),
    get value() {
      const pairs = controls.map(({ one, read }) => [one.name, read()]);
      return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
    },
  };
}

export function picture(item, caption = words(item)) {
  return el("figure", { class: "picture" },
    el("img", { src: source(item), alt: caption }), el("figcaption", {}, caption));
}

// Tells of a job until it has ended. Ends by itself when the node is no longer in the page.
export async function follow(job, ask, show, node) {
  while (node.isConnected) {
    show(job);
    if (!["waiting", "running"].includes(job.state)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
    job = await ask(job.number);
  }
}

export function jobProgress(job) {
  const bar = job.total ? el("progress", { value: job.done, max: job.total, "aria-label": job.phase }) : el("progress", { "aria-label": job.phase });
  const ended = !["waiting", "running"].includes(job.state);
  return el("div", {}, el("p", { class: "note" }, [job.title, job.state, ended ? job.message : job.phase, job.total && !ended ? `${job.done} of ${job.total}` : ""].filter(Boolean).join(" · ")), ended ? null : bar);
}
