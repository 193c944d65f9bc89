"""The part of FPay's other objects that proves what a permission allows (FP2): a wallet, deposits, transfers.

Only their names are the document's. Amounts are whole numbers of the smallest unit of money.
"""

from __future__ import annotations

import secrets

from provisioner.sandbox.dispatch import Call, Operation
from provisioner.sandbox.fpay_access import Right, needs
from provisioner.sandbox.fpay_objects import milliseconds, moment
from provisioner.sandbox.replies import Fault, Reply, unprocessable
from provisioner.sandbox.strict import Field, Whole
from provisioner.sandbox.tenancy import Tenancy

OPENING_BALANCE = 100_000
HIGHEST_AMOUNT = 1_000_000_000


MOVEMENT = {"amount": Field(Whole(1, HIGHEST_AMOUNT), required=True)}


def seed(data: Tenancy) -> None:
    """The wallet that a new tenant starts with."""
    data.put("wallet", "main", {"id": "main", "balance": OPENING_BALANCE})


def _wallet(call: Call) -> Reply:
    return Reply(200, call.data.stored("wallet", "main"))


def _deposit(call: Call) -> Reply:
    return _move(call, "deposit", int(str(call.body["amount"])))


def _transfer(call: Call) -> Reply:
    return _move(call, "transfer", -int(str(call.body["amount"])))


def _move(call: Call, kind: str, difference: int) -> Reply:
    wallet = call.data.stored("wallet", "main")
    balance = int(str(wallet["balance"])) + difference
    if balance < 0:
        raise unprocessable(Fault("/amount", "is more than the wallet holds"))
    call.data.put("wallet", "main", {**wallet, "balance": balance})
    movement: dict[str, object] = {
        "id": secrets.token_hex(12),
        "amount": call.body["amount"],
        "authAccessId": call.bearer.credential.id,
        "createdTime": moment(milliseconds(call.data.now)),
    }
    call.data.put(kind, str(movement["id"]), movement)
    return Reply(201, movement)


OPERATIONS = (
    Operation("GET", "wallet", _wallet, needs(Right.READ)),
    Operation("POST", "deposit", _deposit, needs(Right.MONEY_IN), MOVEMENT),
    Operation("POST", "transfer", _transfer, needs(Right.MONEY_OUT), MOVEMENT),
)
