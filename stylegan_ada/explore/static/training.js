// The run as it goes on: progress, curves, samples over time.

import { attempt, clear, fail, get, post } from "./api.js";
import { chart } from "./chart.js";
import { el } from "./parts.js";

const EVERY = 5000; // milliseconds

export function training(about, again) {
  const state = el("p", {}), bar = el("progress", { "aria-label": "thousand images shown" }), findings = el("ul", {});
  const charts = el("div", { class: "charts" }), newer = el("p", { hidden: true },
    "The run has saved a newer generator. ", el("button", { type: "button", onclick: () => attempt(async () => again(await post("reload")), "opening it …") }, "Open it"));
  const sheet = el("img", { class: "sheet", alt: "" }), time = el("input", { type: "range", min: 0, max: 0, step: 1, value: 0, oninput: () => turn() });
  const moment = el("span", {}), samples = el("section", {}, el("h2", {}, "Samples over time"), el("label", {}, el("span", {}, "after ", moment), time), sheet);
  let numbers = [];

  function turn() {
    const number = numbers[Number(time.value)];
    if (number === undefined) return;
    moment.textContent = `${number / 1000} thousand images`;
    sheet.src = `api/samples/${number}`;
    sheet.alt = `samples after ${number / 1000} thousand images`;
  }

  function show(found) {
    const minutes = found.left == null ? "" : `, about ${Math.ceil(found.left / 60)} min left`;
    state.textContent = `${found.state}: ${found.kimg} of ${found.kimg_wanted} thousand images${minutes}`;
    bar.max = found.kimg_wanted;
    bar.value = found.kimg;
    findings.replaceChildren(...found.findings.map((line) => el("li", {}, line)));
    newer.hidden = !found.newer;
    charts.replaceChildren(...found.panels.map((panel) => chart(panel, found[panel.rows])).filter(Boolean));
    samples.hidden = !found.samples.length;
    if (found.samples.join() !== numbers.join()) {
      const atEnd = Number(time.value) >= numbers.length - 1;
      numbers = found.samples;
      time.max = numbers.length - 1;
      if (atEnd) time.value = numbers.length - 1;
      turn();
    }
  }

  const section = el("section", {}, el("h2", {}, "Training"), state, bar, newer, findings, samples, el("h2", {}, "Curves"), charts);
  (async () => {
    do {
      try {
        show(await get("training"));
        clear();
      } catch (error) {
        fail(error);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    } while (section.isConnected);
  })();
  return section;
}
