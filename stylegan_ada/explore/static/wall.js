// Images of seeds.

import { attempt, post } from "./api.js";
import { command, el, labelChooser, number, picture, slider, tile } from "./parts.js";

export function wall(about, tray) {
  const chooser = labelChooser(about), psi = slider("psi (1: as learned)", 0, 1.2, 0.05, 1);
  const first = number("first seed", 0, 0, 2 ** 53 - 64), count = number("images", 24, 1, 64);
  const list = el("ul", { class: "grid", "aria-label": "Generated images" }), line = el("div", {});
  const compared = [], beside = el("div", { class: "trio" });
  let next = 0, asked = 0;

  function compare(item) {
    const place = compared.findIndex((one) => one.id === item.id);
    if (place >= 0) compared.splice(place, 1);
    else compared.push(item);
    beside.replaceChildren(...compared.slice(-4).map((item) => picture(item)));
    comparison.hidden = !compared.length;
  }
  const comparison = el("section", { hidden: true, "aria-label": "Comparison" }, el("h2", {}, "Compared"), beside,
    el("button", { type: "button", onclick: () => { compared.length = 0; beside.replaceChildren(); comparison.hidden = true; } }, "Close"));

  const ask = (seed, more) => attempt(async () => {
    const turn = ++asked;
    const found = await post("images", { first: seed, count: count.value, psi: psi.value, label: chooser.value });
    if (turn !== asked) return; // something newer was asked for meanwhile
    if (!more) list.replaceChildren();
    list.append(...found.items.map((item) => tile(item, tray, compare)));
    next = seed + found.items.length;
    line.replaceChildren(...found.remarks.map((remark) => el("p", { class: "note" }, remark)),
      el("p", { class: "note" }, "The last images by command line:"), command(found.command));
  }, "making images …");

  const form = el("form", { onsubmit: (event) => { event.preventDefault(); ask(first.value, false); } },
    ...chooser.nodes, first.node, count.node, psi.node, el("button", { type: "submit", class: "main" }, "Show"));
  psi.input.addEventListener("change", () => form.requestSubmit());
  for (const node of chooser.nodes) node.addEventListener("change", () => form.requestSubmit());
  ask(0, false);
  return el("section", {},
    el("h2", {}, "Images of seeds"), form, comparison, list,
    el("p", {}, el("button", { type: "button", onclick: () => ask(next, true) }, "More")),
    el("p", { class: "note" }, "Click an image to keep it in the tray, with Shift to compare it; its words open it."), line);
}
