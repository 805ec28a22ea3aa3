// The images to take along, the same on all pages; sets that are made.

import { attempt, get, post } from "./api.js";
import { command, el, follow, jobProgress, number, slider, tile } from "./parts.js";

export function makeTray(about, node) {
  let items = [], line = "";
  const listeners = [];
  const list = el("ul", { class: "grid" }), summary = el("summary", {}), tools = el("div", {}), jobs = el("div", {});
  const fold = el("details", {}, summary, el("div", { class: "body" }, list, tools, jobs));
  node.replaceChildren(fold);

  const tray = {
    get items() { return items; },
    has: (id) => items.some((item) => item.id === id),
    onchange: (listener) => listeners.push(listener),
    toggle: (id) => attempt(async () => take(await post("tray", { id, kept: !tray.has(id) }))),
    refresh: () => attempt(async () => take(await get("tray"))),
  };

  function take(found) {
    items = found.items;
    line = found.command;
    draw();
  }

  function draw() {
    summary.textContent = items.length ? `Tray: ${items.length}` : "Tray: empty. Click an image to keep it.";
    list.replaceChildren(...items.map((item) => tile(item, tray)));
    tools.replaceChildren(...(items.length ? [
      el("p", {}, el("a", { href: "api/tray.zip", download: "tray.zip" }, "Download images, manifest and latents (.zip)")),
      el("p", { class: "note" }, "The same images by command line, beside latents.npz of the .zip:"),
      command(line),
    ] : []));
    for (const button of document.querySelectorAll(".tile button[data-id]")) {
      button.setAttribute("aria-pressed", tray.has(button.dataset.id));
    }
    for (const listener of listeners) listener();
  }

  const count = number("images", 100, 1, 100000), psi = slider("psi", 0, 1.2, 0.05, 1);
  const each = el("input", { type: "checkbox" });
  const form = el("form", { onsubmit: (event) => {
    event.preventDefault();
    attempt(async () => watch(await post("sets", { count: count.value, psi: psi.value, each: each.checked })));
  } }, count.node, about.flat && !about.attributes.length ? null : el("label", { class: "row" }, each, "of each class"),
  psi.node, el("button", { type: "submit" }, "Make a set"));
  fold.querySelector(".body").append(el("details", {}, el("summary", {}, "Make a set of many images"), form));

  function watch(job) {
    const place = el("div", { class: "job" });
    jobs.append(place);
    const show = (job) => {
      const going = ["waiting", "running"].includes(job.state);
      place.replaceChildren(
        jobProgress(job),
        ...(job.lines ?? []).map((line) => el("p", { class: "note" }, line)),
        ...(job.place ? [el("p", {}, `in ${job.place}`), command(job.command)] : []),
        ...(going ? [el("button", { type: "button", onclick: () => attempt(() => post(`jobs/${job.number}/stop`)) }, "Stop")] : []),
      );
    };
    attempt(() => follow(job, (number) => get(`jobs/${number}`), show, place));
  }

  draw();
  tray.refresh();
  attempt(async () => (await get("jobs")).jobs.filter((job) => job.kind === "set").forEach(watch));
  return tray;
}
