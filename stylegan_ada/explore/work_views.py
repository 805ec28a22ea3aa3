"""What is asked beside images: the run and its training, real images to project, sets to make."""

import json
from pathlib import PurePosixPath
from typing import Any

from flask import Response, request

from ..errors import UserError, shown
from .asked import Asked
from .jobs import Job
from .projection import project_upload, read_upload
from .session import Session
from .sets import make_set, new_place
from .training import samples_path, training_state

MOST_SET = 100_000  # images
LONGEST = 80  # letters of a file's name, which is shown


class WorkViews:
    """Each answers a request of its name in `app.ROUTES`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def about(self) -> Any:
        return self._session.about()

    def reload(self) -> Any:
        self._session.reload()
        return self._session.about()

    def training(self) -> Any:
        session = self._session
        return training_state(session.training_folder()) | {"newer": session.newer()}

    def samples(self, number: int) -> Response:
        path = samples_path(self._session.training_folder(), number)
        return Response(path.read_bytes(), mimetype="image/png")

    def project(self) -> Any:
        session, bench, upload = self._session, self._session.bench(), request.files.get("file")
        if upload is None:
            raise UserError("no file was sent: choose an image")
        try:
            asked = Asked({name: json.loads(request.form.get(name, "null")) for name in ("label", "steps")})
        except (ValueError, RecursionError):
            raise UserError("label and steps: give JSON") from None
        label, steps = bench.label_of(asked.mapping("label")), asked.whole("steps", 10, 2000)
        title = shown(PurePosixPath(upload.filename or "image").name)[:LONGEST]
        image = read_upload(upload.read(), session.folder, bench, session.run)
        real, run, folder = session.real(), session.run, session.folder / "projection"

        def work(job: Job) -> None:
            project_upload(job, image, title, label, steps, bench, real, run, folder)

        return session.jobs.add("projection", title, work).as_json()

    def make_set(self) -> Any:
        session, asked = self._session, Asked()
        count, psi = asked.whole("count", 1, MOST_SET), asked.number("psi", 0, 2)
        each = asked.flag("each") and bool(session.bench().generator.classes)

        def work(job: Job) -> None:
            out = new_place(session.folder)
            make_set(job, session.run, out, count if each else None, None if each else count, psi, session.device)

        return session.jobs.add("set", f"{count} images{' of each class' if each else ''}", work).as_json()

    def jobs(self) -> Any:
        return {"jobs": [job.as_json() for job in self._session.jobs.all()]}

    def job(self, number: int) -> Any:
        return self._session.jobs.get(number).as_json()

    def stop(self, number: int) -> Any:
        return self._session.jobs.stop(number).as_json()
