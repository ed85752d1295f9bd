"""The breakages: those that the paper on faults ends with, and those that our own mistakes suggested."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_COMMIT = "tests/fault/test_engine_commit.py"
_JOURNAL = "tests/fault/test_engine_journal.py"
_OUTAGE = "tests/fault/test_engine_outage.py"
_ORDER = "tests/integration/test_engine_order.py"
_SUBMIT = "tests/integration/test_engine_submit.py"
_HANDLERS = "tests/integration/test_engine_bad_handlers.py"
_VERIFY = "tests/integration/test_engine_verify.py"
_TARGET = "tests/conformance/test_target.py"
_KEPT = "tests/conformance/test_journal.py"
_SET_BACK = "tests/fault/test_engine_set_back.py"

MUTANTS = (
    # -- named by the paper on faults ---------------------------------------------------------------
    Mutant(
        "answer-before-commit",
        "A write is called stored before its COMMIT was sent.",
        "src/robusto/postgres/target.py",
        "                progress.phase = Phase.COMMIT\n                commit(connection)\n"
        "                return Applied()",
        "                return Applied()",
        (f"{_SUBMIT}::test_a_write_is_stored_with_its_ledger_row",),
    ),
    Mutant(
        "ledger-apart",
        "The ledger's row is committed before the effect, in a transaction of its own.",
        "src/robusto/postgres/target.py",
        "                _run(handler, Transaction(connection), write)",
        "                commit(connection)\n                begin(connection, deadline)\n"
        "                _run(handler, Transaction(connection), write)",
        (f"{_TARGET}::test_what_is_refused_leaves_no_trace",),
    ),
    Mutant(
        "swallowed-error",
        "A COMMIT that rolls back, because the handler swallowed an error, counts as one.",
        "src/robusto/postgres/transaction.py",
        '    if connection.execute("COMMIT").statusmessage != "COMMIT":\n        raise CommitRefused\n\n\n'
        "def require_healthy(connection: Connection) -> None:\n",
        '    connection.execute("COMMIT")\n\n\n'
        "def require_healthy(connection: Connection) -> None:\n    return\n",
        (f"{_HANDLERS}::test_a_mistake_of_ours_is_kept_pending_and_only_its_kind_is_held",),
    ),
    Mutant(
        "deleted-on-read",
        "An entry is taken out of the journal before its attempt, not after it.",
        "src/robusto/drainer.py",
        "            outcome = self._delivery.attempt(write, self._deadline(), self._token())",
        "            self._journal.mark(entry, EntryState.APPLIED, self._token())\n"
        "            outcome = self._delivery.attempt(write, self._deadline(), self._token())\n"
        "            if isinstance(outcome, Applied):\n                return True",
        (f"{_OUTAGE}::test_a_server_that_flaps_quarantines_nothing_and_makes_progress",),
    ),
    Mutant(
        "no-fence",
        "An entry is set aside without a fence against its unanswered attempts.",
        "src/robusto/quarantine.py",
        "        fenced = self._target.fence(opened.write or shell_of(entry), token, deadline)",
        "        fenced: Fence | Outcome = Fence.FENCED",
        (
            f"{_COMMIT}::test_what_is_rejected_after_an_unanswered_try_goes_to_the_journal_and_is_fenced",
            f"{_COMMIT}::test_a_transaction_that_still_hangs_on_the_server_has_no_effect_once_its_write_was_given_up",
        ),
    ),
    Mutant(
        "no-server-timeouts",
        "The server is not told when to give up a lock or a statement.",
        "src/robusto/postgres/transaction.py",
        'limits = {"lock_timeout": _LOCK, "statement_timeout": _STATEMENT}',
        "limits: dict[str, float] = {}",
        (f"{_ORDER}::test_only_what_shares_a_key_with_a_locked_row_waits",),
    ),
    Mutant(
        "hash-of-what-we-added",
        "The request's hash covers what the app adds to it.",
        "src/robusto/engine.py",
        "    return identity.request_hash(request)",
        "    return identity.request_hash(payload)",
        (f"{_SUBMIT}::test_what_the_app_adds_to_the_request_does_not_make_it_another_one",),
    ),
    Mutant(
        "hash-not-compared",
        "A row that is in the way in the ledger is taken for the same write, whatever its hash.",
        "src/robusto/postgres/ledger.py",
        "    if bytes(request_hash) != write.request_hash:\n        return Claim.KEY_REUSED\n    ours",
        "    ours",
        (f"{_TARGET}::test_a_key_with_another_body_is_refused",),
    ),
    Mutant(
        "hash-in-the-same-statement",
        "The hash is read in the statement that found the conflict, whose snapshot may lack the row.",
        "src/robusto/postgres/ledger.py",
        "ON CONFLICT (key) DO UPDATE SET\n"
        "    direct = ledger.direct AND (excluded.direct OR ledger.journal <> excluded.journal\n"
        "                                OR ledger.request_hash <> excluded.request_hash)\n"
        "RETURNING (xmax = 0), request_hash, submit_id, state\n",
        "ON CONFLICT (key) DO NOTHING\nRETURNING true, request_hash, submit_id, state\n",
        (f"{_TARGET}::test_a_write_is_applied_once_however_often_it_is_tried",),
    ),
    Mutant(
        "cached-empty-backlog",
        "A process that saw the backlog empty does not look again.",
        "src/robusto/submit.py",
        "            if self._journal.waits_behind(write.waits_for):",
        "            seen, self._seen_empty = getattr(self, '_seen_empty', False), True\n"
        "            if not seen and self._journal.waits_behind(write.waits_for):",
        (f"{_ORDER}::test_the_backlog_of_another_process_is_seen_at_once",),
    ),
    Mutant(
        "overtaking",
        "Nobody looks at the backlog before a direct write.",
        "src/robusto/submit.py",
        "            if self._journal.waits_behind(write.waits_for):",
        "            if False:",
        (f"{_ORDER}::test_a_write_behind_the_backlog_waits_its_turn",),
    ),
    Mutant(
        "parking-not-transitive",
        "What is parked parks nobody else.",
        "src/robusto/drainer.py",
        "                sweep.blocked.add(opened.entry)\n",
        "                if opened.entry.state is EntryState.QUARANTINED:\n"
        "                    sweep.blocked.add(opened.entry)\n",
        (f"{_ORDER}::test_parking_is_transitive",),
    ),
    Mutant(
        "no-inode-check",
        "Nobody looks whether the flushed file is still the one on the disk.",
        "src/robusto/journal/file.py",
        "        if self._flush and self._on_disk() != self._identity:",
        "        if False:",
        (f"{_JOURNAL}::test_a_file_swapped_under_the_pointer_answers_nothing_as_kept",),
    ),
    Mutant(
        "outage-is-poison",
        "An entry that met an outage is quarantined.",
        "src/robusto/drainer.py",
        "                return self._unavailable(entry, outcome, blocked, done)",
        "                return self._set_aside(opened, outcome.reason, blocked, done)",
        (f"{_COMMIT}::test_connections_lost_in_the_drain_quarantine_nothing",),
    ),
    Mutant(
        "retry-with-a-new-key",
        "Every try of an attempt goes under a key of its own.",
        "src/robusto/delivery.py",
        "            outcome = self._target.apply(write, handler, deadline, token)",
        "            outcome = self._target.apply(write, handler, deadline, token)\n"
        "            write = __import__('dataclasses').replace(write, id=__import__('uuid').uuid4())",
        (f"{_COMMIT}::test_an_unanswered_commit_has_one_effect_and_a_true_answer",),
    ),
    Mutant(
        "lease-without-token",
        "PostgreSQL takes an entry from whoever believes to be the drainer.",
        "src/robusto/postgres/ledger.py",
        "WHERE %(token)s::bigint IS NULL\n"
        "   OR EXISTS (SELECT FROM robusto_drainer WHERE journal = %(journal)s AND token = %(token)s)\n",
        "WHERE true OR %(token)s::bigint IS NULL\n",
        (f"{_TARGET}::test_only_the_newest_drainer_may_apply_or_fence",),
    ),
    Mutant(
        "damaged-is-empty",
        "The successor of a damaged journal file begins empty.",
        "src/robusto/journal/opening.py",
        "                generations.carry_over(old, new, self.cipher, self._clock.wall())",
        "                pass",
        (f"{_JOURNAL}::test_a_disk_that_failed_once_leads_to_a_new_generation_with_everything_pending",),
    ),
    Mutant(
        "breaker-never-closes",
        "The breaker stays half open.",
        "src/robusto/breaker.py",
        "    return BreakerState.CLOSED if well else BreakerState.HALF_OPEN",
        "    return BreakerState.HALF_OPEN if well else BreakerState.HALF_OPEN",
        ("tests/unit/test_engine_small_parts.py::test_it_closes_when_postgresql_has_stayed_well",),
    ),
    Mutant(
        "applied-is-forgotten",
        "Applied entries are deleted as soon as the house is kept.",
        "src/robusto/journal/sqlite.py",
        '" AND changed_at < ? LIMIT 1000)"',
        '" AND changed_at < 1e12 + ? LIMIT 1000)"',
        (f"{_KEPT}::test_only_what_was_applied_long_ago_is_pruned",),
    ),
    # -- our own ----------------------------------------------------------------------------------------
    Mutant(
        "taint-forgotten",
        "A refusal is passed on although an earlier try of the same write was never answered.",
        "src/robusto/delivery.py",
        "        return _with_taint(outcome) if tainted else outcome",
        "        return outcome",
        (f"{_COMMIT}::test_what_is_rejected_after_an_unanswered_try_goes_to_the_journal_and_is_fenced",),
    ),
    Mutant(
        "effect-on-no-row",
        "A handler that changed nothing leaves its ledger row.",
        "src/robusto/postgres/target.py",
        "    if tx.rows_changed == 0:\n        raise _NoEffect",
        "    return",
        (f"{_SUBMIT}::test_an_effect_on_no_row_is_refused",),
    ),
    Mutant(
        "unreadable-is-applied",
        "An entry whose seal does not open counts as applied.",
        "src/robusto/drainer.py",
        '            outcome = Rejected("unreadable")',
        "            outcome = Applied()",
        (f"{_VERIFY}::test_an_entry_whose_seal_is_broken_comes_before_a_person_and_the_rest_drains",),
    ),
    Mutant(
        "no-client-deadline",
        "The client waits for a frozen server as long as it likes.",
        "src/robusto/deadline.py",
        "        return max(0.0, self.expires - self.clock.monotonic())",
        "        return max(30.0, self.expires - self.clock.monotonic())",
        (f"{_OUTAGE}::test_a_connect_that_hangs_is_answered_in_time",),
    ),
    Mutant(
        "no-copy",
        "Direct writes leave no sealed copy.",
        "src/robusto/submit.py",
        "            self._copies.keep(write)",
        "            pass",
        (f"{_OUTAGE}::test_a_repeat_of_what_was_stored_before_the_outage_is_recognised",),
    ),
    Mutant(
        "plain-text",
        "What lies in the journal is not sealed.",
        "src/robusto/journal/cipher.py",
        "self._by_id[self._first].encrypt(nonce, plain, bound)",
        "plain + bytes(16)",
        (f"{_JOURNAL}::test_no_field_lies_in_plain_text_anywhere_in_the_folder",),
    ),
    Mutant(
        "key-locks-left-out",
        "Two senders of one key are not kept apart.",
        "src/robusto/order.py",
        "        return self._locks.hold((write.id.bytes,), (), deadline)",
        "        return __import__('contextlib').nullcontext(True)",
        (
            f"{_COMMIT}::test_two_senders_of_one_key_are_never_both_told_the_wrong_thing",
            f"{_SUBMIT}::test_eight_threads_with_one_key_have_one_effect_and_one_answer",
        ),
    ),
    Mutant(
        "order-locks-left-out",
        "Two writes that share an ordering key may be on their way at once.",
        "src/robusto/order.py",
        "        return self._locks.hold(write.ordering, write.after, deadline)",
        "        return __import__('contextlib').nullcontext(True)",
        (f"{_ORDER}::test_two_writes_that_share_a_key_are_never_on_their_way_at_once",),
    ),
    Mutant(
        "synchronous-commit-off",
        "The session keeps whatever synchronous_commit its role or database has.",
        "src/robusto/postgres/target.py",
        '        settings = "SET synchronous_commit = on"',
        '        settings = "SELECT 1"',
        ("tests/integration/test_engine_codes.py::test_the_roles_own_settings_do_not_weaken_a_commit",),
    ),
    Mutant(
        "unknown-is-not-kept",
        "A journal whose flush failed is told as certainly not kept.",
        "src/robusto/submit.py",
        "        unknown = maybe_applied or error.maybe_written",
        "        unknown = False",
        (f"{_COMMIT}::test_with_the_journal_gone_an_unanswered_commit_is_unknown",),
    ),
    # -- a PostgreSQL that was set back --------------------------------------------------------------
    Mutant(
        "set-back-unnoticed",
        "A new connection is not compared with the last server that had everything.",
        "src/robusto/postgres/target.py",
        "            raise NotAdmitted(SET_BACK)\n",
        "",
        (f"{_SET_BACK}::test_no_direct_write_overtakes_what_was_forgotten",),
    ),
    Mutant(
        "set-back-place-lost",
        "A direct write that comes back stands at the end of the queue.",
        "src/robusto/journal/sqlite.py",
        "rows.put_back(db, entry.seq, at, place=copy.behind, copy=copy.n)",
        "rows.put_back(db, entry.seq, at, place=entry.seq)",
        (f"{_SET_BACK}::test_what_was_forgotten_comes_back_once_and_in_order",),
    ),
    Mutant(
        "set-back-late-copy",
        "What was noted after the look at the server is never looked up.",
        "src/robusto/continuity.py",
        "        if not has(list(newest - self._confirmed)):",
        "        if False:",
        (f"{_SET_BACK}::test_a_copy_that_is_noted_late_is_missed_and_comes_back",),
    ),
    Mutant(
        "set-back-fence-lost",
        "A fence that PostgreSQL has forgotten is not set again.",
        "src/robusto/reoffer.py",
        "yield lost, [entry for entry in decided if entry.id not in rows and not entry.is_shell]",
        "yield lost, []",
        (f"{_SET_BACK}::test_decisions_stay_decided",),
    ),
    Mutant(
        "set-back-counted-twice",
        "That a first, unanswered try was handed over from the direct count may be forgotten.",
        "src/robusto/reoffer.py",
        "        return counted_as_direct or _lacks(row, entry.request_hash)",
        "        return _lacks(row, entry.request_hash)",
        (f"{_SET_BACK}::test_a_write_whose_first_answer_was_lost_is_still_counted_once",),
    ),
    Mutant(
        "set-back-copy-first",
        "A copy is given up before the journal has taken the write over.",
        "src/robusto/reoffer.py",
        "            adopted = self._journal.adopt(copies, SET_BACK, token)\n"
        "            self._copies.forget(copies)\n",
        "            self._copies.forget(copies)\n"
        "            adopted = self._journal.adopt(copies, SET_BACK, token)\n",
        (f"{_SET_BACK}::test_killed_in_the_middle_it_goes_on_where_it_was",),
    ),
)
