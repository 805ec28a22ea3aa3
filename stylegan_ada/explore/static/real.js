// A real image that is projected.

import { attempt, get, post, upload } from "./api.js";
import { el, follow, jobProgress, labelChooser, number, picture } from "./parts.js";

const COVERED = { yes: "The generator covers it: it comes as near as to images of the run.", no: "Not covered: the generator stays further from it than from images of the run." };

export function real(about, tray) {
  const chooser = labelChooser(about, "search it"), steps = number("steps", 300, 10, 2000);
  const file = el("input", { type: "file", accept: "image/*,.tif,.tiff,.dcm", required: true }), jobs = el("div", {});
  const send = (chosen) => attempt(async () => {
    const form = new FormData();
    form.append("file", chosen);
    form.append("label", JSON.stringify(chooser.value));
    form.append("steps", JSON.stringify(steps.value));
    watch(await upload("projections", form));
  }, "sending …");
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); send(file.files[0]); } },
    el("label", {}, "image file", file), ...chooser.nodes, steps.node, el("button", { type: "submit", class: "main" }, "Project"));
  const drop = el("div", { class: "drop",
    ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
    ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]); },
  }, form, el("p", { class: "note" }, "Or drop a file here. It stays on this machine."));

  function watch(job) {
    const place = el("div", { class: "job" });
    jobs.prepend(place);
    const show = (job) => {
      const going = ["waiting", "running"].includes(job.state);
      const current = job.item ? picture(job.item, "what the generator makes of it") : job.forming ? picture({ png: job.forming }, "as it forms") : null;
      place.replaceChildren(jobProgress(job), el("div", { class: "trio" },
        job.target ? picture({ png: job.target }, "the image") : "", current ?? ""),
      ...(job.item ? [el("p", {}, el("a", { href: `#image/${job.item.id}` }, "Open it: move, mix and vary it"))] : []),
      ...(job.covered ? [el("p", { class: "covered" }, COVERED[job.covered] ?? `Covered: ${job.covered}`),
        el("p", { class: "note" }, `distance ${job.distance.toFixed(3)}${job.limit == null ? "" : `, the run's ${job.kind}: up to ${job.limit.toFixed(3)}`}; PSNR ${job.psnr.toFixed(1)} dB`)] : []),
      ...(going ? [el("button", { type: "button", onclick: () => attempt(() => post(`jobs/${job.number}/stop`)) }, "Stop")] : []));
    };
    attempt(() => follow(job, (number) => get(`jobs/${number}`), show, place));
  }

  setTimeout(() => attempt(async () => (await get("jobs")).jobs.filter((job) => job.kind === "projection").forEach(watch)));
  return el("section", {}, el("h2", {}, "A real image"),
    about.can_project ? drop : el("p", {}, "This generator makes transparency, which no distance sees: nothing can be projected."), jobs);
}
