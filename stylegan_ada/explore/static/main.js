// Which view is shown, by the part of the address behind #.

import { attempt, clear, get } from "./api.js";
import { image } from "./image.js";
import { el, shownMasks } from "./parts.js";
import { real } from "./real.js";
import { training } from "./training.js";
import { makeTray } from "./tray.js";
import { wall } from "./wall.js";

const main = document.getElementById("main");
let about, tray, shownWall;

function show() {
  clear();
  const [name, id] = (location.hash.slice(1) || (about.ready ? "wall" : "training")).split("/");
  for (const link of document.querySelectorAll("nav a")) {
    const chosen = link.hash === `#${name}`;
    if (chosen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const views = {
    wall: () => (shownWall ??= wall(about, tray)), // which stays as it was
    image: () => image(about, tray, id),
    real: () => real(about, tray),
    training: () => training(about, begin),
  };
  const waiting = "The run has no generator yet: it is saved with the first samples.";
  if (!about.is_run && name === "training") main.replaceChildren(el("p", {}, "This is a generator's file: there is no run beside it."));
  else if (!about.ready && name !== "training") main.replaceChildren(el("p", {}, waiting));
  else main.replaceChildren((views[name] ?? views.wall)());
}

function begin(found) {
  about = found;
  shownWall = undefined;
  document.title = `${about.run} · stylegan_ada explore`;
  document.getElementById("run").textContent = about.run;
  const facts = about.ready ? [`${about.height}x${about.width} pixels`, `after ${about.images_seen / 1000} thousand images`, ...about.attributes.map((one) => `${one.name}: ${one.words.replace(/^\w+: /, "")}`)] : ["no generator yet"];
  const line = document.getElementById("about");
  line.replaceChildren(facts.join(" · "));
  if (about.mask_kinds?.length) {
    const box = el("input", { type: "checkbox", onchange: () => { shownMasks.on = box.checked; shownWall = undefined; show(); tray.refresh(); } });
    box.checked = shownMasks.on;
    line.append(el("label", { class: "row" }, box, `edges of masks (${about.mask_kinds.join(", ")})`));
  }
  if (about.ready) tray = makeTray(about, document.getElementById("tray"));
  show();
}

attempt(async () => {
  begin(await get("about"));
  window.addEventListener("hashchange", () => { show(); main.focus(); });
  window.addEventListener("focus", () => tray?.refresh()); // another tab may have changed it
});
