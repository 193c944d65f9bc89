"""TimeClock's data API: all the requests that the document lists (TC7), each behind the signed header."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from provisioner.sandbox.dispatch import Call, Operation
from provisioner.sandbox.replies import Fault, Reply, unprocessable
from provisioner.sandbox.strict import Day, Field, Shape, Text, Whole, changes
from provisioner.sandbox.tenancy import Tenancy
from provisioner.sandbox.timeclock_api import signed
from provisioner.sandbox.timeclock_users import user_of

Thing = Mapping[str, object]

_MOMENT = Whole(0, 4_102_444_800)  # seconds since 1970, until 2100
_NOTE = Field(Text(500, shortest=0), nullable=True)

SESSION = {
    "clock_in": Field(_MOMENT, required=True),
    "clock_out": Field(_MOMENT, nullable=True),
    "project": Field(Whole(1, 10**9), nullable=True),
    "note": _NOTE,
}
OFF_TIME = {
    "start": Field(Day(), required=True),
    "end": Field(Day(), required=True),
    "type": Field(Text(choices=("vacation", "sick", "other")), required=True),
    "note": _NOTE,
}
PROFILE = {"name": Field(Text(), required=True), "email": Field(Text(), nullable=True)}
YEAR = {"year": Field(Whole(1970, 2100), required=True)}

#: (month and day, name)
_HOLIDAYS = (("01-01", "New Year's Day"), ("05-01", "Labour Day"), ("12-25", "Christmas Day"))


def _session_faults(data: Tenancy, session: Thing) -> list[Fault]:
    faults = []
    start, end, project = (session[name] for name in ("clock_in", "clock_out", "project"))
    if isinstance(start, int) and isinstance(end, int) and end <= start:
        faults.append(Fault("/clock_out", "must be later than clock_in"))
    if project is not None and project not in [known["id"] for known in data.all_stored("project")]:
        faults.append(Fault("/project", "is not a project"))
    return faults


def _off_time_faults(data: Tenancy, off_time: Thing) -> list[Fault]:
    backwards = str(off_time["end"]) < str(off_time["start"])
    return [Fault("/end", "must not be before start")] if backwards else []


@dataclass(frozen=True, slots=True)
class _Collection:
    """What belongs to the calling user, and which the user may change: sessions and off-times."""

    path: str
    shape: Shape
    faults: Callable[[Tenancy, Thing], Sequence[Fault]]

    def operations(self) -> tuple[Operation, ...]:
        """View, index, create, update, delete."""
        one = f"{self.path}/{{id}}"
        return (
            *_reading(self.path, self._index),
            *_reading(one, self._view),
            Operation("POST", self.path, self._create, signed, self.shape),
            Operation("PUT", one, self._replace, signed, self.shape),
            Operation("PATCH", one, self._change, signed, changes(self.shape, self.shape)),
            Operation("DELETE", one, self._delete, signed),
        )

    def _index(self, call: Call) -> Reply:
        return Reply(200, call.data.all_stored(self._kind(call)))

    def _view(self, call: Call) -> Reply:
        return Reply(200, call.data.stored(self._kind(call), call.path["id"]))

    def _create(self, call: Call) -> Reply:
        return self._keep(call, 201, {"id": secrets.token_hex(6), **self._blank()})

    def _replace(self, call: Call) -> Reply:
        before = call.data.stored(self._kind(call), call.path["id"])
        return self._keep(call, 200, {**before, **self._blank()})

    def _change(self, call: Call) -> Reply:
        return self._keep(call, 200, call.data.stored(self._kind(call), call.path["id"]))

    def _delete(self, call: Call) -> Reply:
        call.data.remove(self._kind(call), call.path["id"])
        return Reply(204)

    def _keep(self, call: Call, status: int, before: Thing) -> Reply:
        thing = {**before, **call.body}
        faults = self.faults(call.data, thing)
        if faults:
            raise unprocessable(*faults)
        call.data.put(self._kind(call), str(thing["id"]), thing)
        return Reply(status, thing)

    def _blank(self) -> Thing:
        return dict.fromkeys(self.shape)

    def _kind(self, call: Call) -> str:
        return f"{self.path} of {_caller(call)}"


def _caller(call: Call) -> str:
    return str(call.bearer.credential.fields["user_id"])


def _profile(call: Call) -> Reply:
    user = user_of(call.data, _caller(call))
    return Reply(200, {name: user[name] for name in ("id", *PROFILE)})


def _update_profile(call: Call) -> Reply:
    call.data.put("user", _caller(call), {**user_of(call.data, _caller(call)), **call.body})
    return _profile(call)


def _replace_profile(call: Call) -> Reply:
    user = {**user_of(call.data, _caller(call)), **dict.fromkeys(PROFILE), **call.body}
    call.data.put("user", _caller(call), user)
    return _profile(call)


def _projects(call: Call) -> Reply:
    return Reply(200, call.data.all_stored("project"))


def _project(call: Call) -> Reply:
    return Reply(200, call.data.stored("project", call.path["id"]))


def _holidays(call: Call) -> Reply:
    return Reply(200, call.data.all_stored("holiday"))


def _fetch_holidays(call: Call) -> Reply:
    """A year's holidays, as TimeClock gets them from their source; fetched again, they are the same."""
    found = [{"date": f"{call.body['year']}-{day}", "name": name} for day, name in _HOLIDAYS]
    for holiday in found:
        call.data.put("holiday", holiday["date"], holiday)
    return Reply(200, found)


def _reading(path: str, handler: Callable[[Call], Reply]) -> tuple[Operation, Operation]:
    return Operation("GET", path, handler, signed), Operation("HEAD", path, handler, signed)


OPERATIONS = (
    *_Collection("api/sessions", SESSION, _session_faults).operations(),
    *_Collection("api/off-times", OFF_TIME, _off_time_faults).operations(),
    *_reading("api/holidays", _holidays),
    Operation("POST", "api/holidays", _fetch_holidays, signed, YEAR),
    *_reading("api/profile", _profile),
    Operation("PUT", "api/profile", _replace_profile, signed, PROFILE),
    Operation("PATCH", "api/profile", _update_profile, signed, changes(PROFILE, PROFILE)),
    *_reading("api/projects", _projects),
    *_reading("api/projects/{id}", _project),
)
