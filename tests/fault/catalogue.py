"""The 65 faults, and for each what causes it for real.

A test holds this table: every number stands here once, and every test that is named exists. As a page:
`python -m tests.fault.catalogue > docs/reliability.d/faults.md`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

OUTAGE = "tests/fault/test_engine_outage.py::"
COMMIT = "tests/fault/test_engine_commit.py::"
JOURNAL = "tests/fault/test_engine_journal.py::"
FORK = "tests/fault/test_engine_fork.py::"
SET_BACK = "tests/fault/test_engine_set_back.py::"
SWEEP = "tests/fault/test_crash_sweep.py::"
POWER = "tests/fault/test_power_loss.py::"
POSTGRES = "tests/fault/test_postgres_faults.py::"
LOST = "tests/fault/test_lost_answers.py::"
FAILOVER = "tests/fault/test_failover.py::"
UNTRUSTED = "tests/fault/test_untrusted_servers.py::"
POISON = "tests/fault/test_poison.py::"
CLOCK = "tests/fault/test_clock_jumps.py::"
DRAINERS = "tests/fault/test_drainers.py::"
WEB = "tests/fault/test_web_server.py::"
SLOW_WEB = "tests/fault/slow_web_server.py::"
SUBMIT = "tests/integration/test_engine_submit.py::"
ORDER = "tests/integration/test_engine_order.py::"
CODES = "tests/integration/test_engine_codes.py::"
HANDLERS = "tests/integration/test_engine_bad_handlers.py::"
VERIFY = "tests/integration/test_engine_verify.py::"
READING = "tests/integration/test_engine_reading.py::"
HOSTILE = "tests/property/test_hostile_submit.py::"
FILE = "tests/property/test_hostile_legacy_file.py::"
REQUESTS = "tests/integration/test_hostile_requests.py::"
FORMS = "tests/integration/test_hostile_forms.py::"
DESK = "tests/integration/test_balcao_cadastro.py::"
DESK_OUTAGE = "tests/integration/test_balcao_queda.py::"
API = "tests/integration/test_api_alunos.py::"
API_ERRORS = "tests/integration/test_api_erros.py::"
API_OUTAGE = "tests/integration/test_api_queda.py::"
LOGIN = "tests/integration/test_acesso_login.py::"
GUESSES = "tests/integration/test_acesso_tentativas.py::"
ROUTES = "tests/integration/test_acesso_rotas.py::"
RIGHTS = "tests/integration/test_console_rights.py::"
RECORDS = "tests/integration/test_console_records.py::"
BROWSER = "tests/browser/"


@dataclass(frozen=True)
class Fault:
    """A sentence, and the tests that cause it; or the command that does, or what has to be built first."""

    sentence: str
    tests: tuple[str, ...] = ()
    command: str = ""
    later: str = ""


def _during(name: str) -> tuple[str, str]:
    """The two rows of the table of outages: while people write, and while the backlog is drained."""
    return (
        f"{POSTGRES}test_through_a_fault_every_write_is_answered_truly_and_takes_effect_once_in_order[{name}]",
        f"{POSTGRES}test_a_backlog_that_is_drained_into_a_fault_stays_whole_and_in_order[{name}]",
    )


FAULTS: dict[int, Fault] = {
    1: Fault(
        "Double click, two tabs, F5, Back: one form sent many times is one effect with one answer.",
        (
            f"{SUBMIT}test_eight_threads_with_one_key_have_one_effect_and_one_answer",
            f"{DESK}test_double_click_f5_and_back_are_one_write",
            f"{BROWSER}test_repeats.py::test_two_hundred_double_clicks_backs_and_reloads_make_no_second_row",
        ),
    ),
    2: Fault(
        "A key that comes again with another payload is refused, and nothing is written.",
        (
            f"{SUBMIT}test_a_key_with_another_body_is_refused",
            f"{SUBMIT}test_of_two_bodies_under_one_key_exactly_one_is_stored",
            f"{OUTAGE}test_a_key_of_a_pending_write_with_another_body_is_refused",
            f"{API}test_the_same_key_with_another_body_is_refused_and_writes_nothing",
        ),
    ),
    3: Fault(
        "A client that hangs up after the commit and sends again gets the first result.",
        (f"{WEB}test_a_client_that_hangs_up_and_sends_again_gets_the_first_result",),
    ),
    4: Fault(
        "A process killed before, during or after an append to the journal: what was answered is there.",
        (
            f"{JOURNAL}test_what_was_answered_is_there_after_kill_9",
            f"{JOURNAL}test_death_in_the_middle_of_an_append_loses_nothing_that_was_answered",
            f"{SWEEP}test_no_step_of_the_disk_loses_what_was_answered",
        ),
        "make sweep",
    ),
    5: Fault(
        "A drainer killed between PostgreSQL's commit and the journal's mark: drained again, once in effect.",
        (f"{SWEEP}test_no_step_of_the_disk_loses_what_was_answered",),
        "make sweep",
    ),
    6: Fault(
        "SIGTERM while a write is being answered, and a worker killed for its slowness.",
        (
            f"{WEB}test_a_sigterm_lets_the_write_in_hand_end",
            f"{SLOW_WEB}test_a_worker_that_is_killed_for_its_slowness_leaves_a_write_that_can_be_sent_again",
        ),
    ),
    7: Fault(
        "A web worker that is recycled in the middle of a drain passes it on.",
        (
            f"{SLOW_WEB}test_workers_that_are_recycled_in_the_middle_of_a_drain_pass_it_on",
            f"{OUTAGE}test_close_passes_the_turn_on_at_once",
        ),
    ),
    8: Fault(
        "A fork while threads, connections and the journal are open.",
        (
            f"{FORK}test_children_forked_at_any_moment_lose_nothing",
            f"{FORK}test_a_parent_killed_while_it_holds_the_journal_leaves_it_to_its_child",
            f"{SLOW_WEB}test_workers_forked_from_a_master_that_has_the_engine_open_share_nothing",
        ),
    ),
    9: Fault(
        "Something else opens and closes the journal's file, which drops POSIX locks.",
        (f"{JOURNAL}test_somebody_who_opens_and_closes_the_file_drops_nobodys_lock",),
    ),
    10: Fault(
        "Four drainers at once whose lock does not hold.",
        (
            f"{DRAINERS}test_four_drainers_at_once_without_their_lock_apply_each_write_once_and_in_order",
            f"{OUTAGE}test_two_workers_share_the_turn_and_apply_each_write_once",
        ),
    ),
    11: Fault(
        "A drainer stopped beyond its turn wakes up: PostgreSQL itself refuses its token.",
        (f"{OUTAGE}test_a_drainer_that_slept_beyond_its_lease_is_refused",),
    ),
    12: Fault(
        "PostgreSQL refuses connections.",
        (
            *_during("12-stopped"),
            f"{OUTAGE}test_a_process_that_starts_in_an_outage_accepts_writes",
            f"{OUTAGE}test_a_worker_drains_after_the_outage_without_being_asked",
        ),
    ),
    13: Fault(
        "An immediate shutdown; the postmaster killed; a sibling backend killed.",
        (
            *_during("13-stopped_immediately"),
            *_during("13-postmaster_killed"),
            *_during("13-sibling_killed"),
            f"{API_OUTAGE}test_a_killed_postgresql_loses_and_doubles_nothing",
        ),
    ),
    14: Fault("PostgreSQL is starting up, in crash recovery.", _during("14-starting_up")),
    15: Fault(
        "All of PostgreSQL, its postmaster or its backends frozen by SIGSTOP.",
        (
            *_during("15-frozen"),
            *_during("15-postmaster_frozen"),
            *_during("15-backends_frozen"),
            f"{OUTAGE}test_an_outage_leaks_no_threads_and_no_descriptors",
        ),
    ),
    16: Fault(
        "A failover: the primary is another host now, and the old one takes no writes.",
        (
            *_during("16-read_only"),
            f"{FAILOVER}test_after_a_failover_everything_goes_to_the_promoted_standby_once_and_in_order",
            f"{FAILOVER}test_a_connection_to_a_demoted_primary_is_dropped_and_the_hosts_are_looked_up_again",
            f"{FAILOVER}test_a_host_that_is_a_standby_now_is_passed_over",
        ),
    ),
    17: Fault(
        "An asynchronous failover that lost the last commits.",
        (f"{SET_BACK}test_an_asynchronous_failover_that_lost_commits_loses_nothing",),
    ),
    18: Fault(
        "COMMIT waits for a synchronous standby that is gone.",
        (
            *_during("18-without_its_standby"),
            f"{LOST}test_a_commit_that_ends_while_it_waits_for_its_standby_has_one_effect",
        ),
    ),
    19: Fault(
        "Too many connections at the server, or in this process.",
        (
            *_during("19-full_of_connections"),
            f"{CODES}test_a_server_that_is_full_of_connections_is_an_outage",
            "tests/conformance/test_target.py::"
            "test_a_process_without_a_free_connection_holds_the_write_and_blames_nobody",
        ),
    ),
    20: Fault(
        "PostgreSQL's disk is full: the drain slows to a probe, and it is red.",
        (f"{POISON}test_a_full_disk_of_postgresql_is_an_alarm_and_slows_the_drain_to_a_probe",),
    ),
    21: Fault(
        "Deadlock, serialization failure, lock wait: again at once, then pending.",
        (
            f"{CODES}test_a_deadlock_is_tried_again_at_once",
            f"{LOST}test_a_commit_that_is_answered_with_doubt_has_one_effect[40001-once]",
            f"{LOST}test_a_commit_that_is_answered_with_doubt_has_one_effect[40001-again and again]",
            f"{ORDER}test_only_what_shares_a_key_with_a_locked_row_waits",
        ),
    ),
    22: Fault(
        "A connection ended by FIN or RST at any point, before and after COMMIT.",
        (
            *_during("22-every_connection_cut"),
            f"{LOST}test_a_lost_commit_has_one_effect",
            f"{LOST}test_wherever_a_connection_is_cut_there_is_one_effect",
        ),
    ),
    23: Fault(
        "A black hole, a half-open connection, one byte a second; a commit that arrives much later.",
        (
            *_during("23-half_open"),
            *_during("23-one_byte_a_second"),
            f"{DESK_OUTAGE}test_a_black_hole_is_an_outage",
            f"{OUTAGE}test_a_connect_that_hangs_is_answered_in_time",
            f"{LOST}test_what_arrives_after_the_retry_and_after_the_drain_has_no_second_effect",
        ),
    ),
    24: Fault(
        "The name server is dead, or silent.",
        (
            f"{UNTRUSTED}test_a_name_server_that_does_not_answer_costs_one_deadline_and_loses_nothing",
            f"{OUTAGE}test_a_name_that_hangs_is_answered_in_time",
        ),
    ),
    25: Fault(
        "PostgreSQL's certificate is expired, of another authority, for another host, or missing.",
        (f"{UNTRUSTED}test_a_server_with_a_bad_certificate_is_an_alarm_and_hears_nothing_in_plain_text",),
    ),
    26: Fault(
        "PostgreSQL's password was changed: pending, red, and taken up without a restart.",
        (
            f"{OUTAGE}test_a_new_password_is_taken_up_without_a_restart",
            f"{CODES}test_a_wrong_password_is_pending_and_red",
        ),
    ),
    27: Fault(
        "A server that comes and goes during a drain: progress, and nothing in quarantine.",
        (
            f"{OUTAGE}test_a_server_that_flaps_quarantines_nothing_and_makes_progress",
            "tests/unit/test_engine_small_parts.py::"
            "test_a_relapse_makes_it_wait_longer_and_a_quiet_time_forgets",
        ),
    ),
    28: Fault(
        "The journal's disk is full.",
        (
            f"{JOURNAL}test_a_disk_without_room_refuses_and_what_is_there_stays_usable",
            f"{JOURNAL}test_a_full_file_system_refuses_and_the_reserve_lets_marks_through",
            f"{API_OUTAGE}test_a_full_journal_refuses_in_words_and_loses_nothing_of_what_it_took",
        ),
    ),
    29: Fault(
        "The journal's disk fails a write or a flush.",
        (
            f"{JOURNAL}test_a_disk_that_failed_once_leads_to_a_new_generation_with_everything_pending",
            f"{SWEEP}test_no_step_of_the_disk_loses_what_was_answered",
        ),
        "make sweep",
    ),
    30: Fault("A disk that lies about flushing (outside the promise).", later="`doctor`, which warns"),
    31: Fault(
        "A torn write, a write-ahead log cut at any byte, the power lost at any step.",
        (
            f"{JOURNAL}test_a_wal_cut_at_any_byte_loses_only_its_tail",
            f"{POWER}test_every_answered_write_is_there_after_the_power_was_lost",
        ),
        "make sweep",
    ),
    32: Fault(
        "Flipped bits in the journal.",
        (
            f"{JOURNAL}test_a_flipped_bit_on_the_disk_is_never_silent",
            f"{VERIFY}test_a_flipped_bit_costs_only_the_entries_on_its_page",
            f"{VERIFY}test_an_entry_whose_seal_is_broken_comes_before_a_person_and_the_rest_drains",
        ),
    ),
    33: Fault(
        "The journal is removed, also while it is open, or replaced, or moved.",
        (
            f"{JOURNAL}test_a_journal_removed_while_it_is_open_answers_nothing_as_kept",
            f"{JOURNAL}test_a_file_swapped_under_the_pointer_answers_nothing_as_kept",
            f"{JOURNAL}test_a_journal_removed_before_the_start_is_an_alarm_and_no_first_start",
            f"{JOURNAL}test_a_pointer_that_was_removed_is_an_alarm",
        ),
    ),
    34: Fault(
        "Somebody else holds the journal's locks.",
        (
            f"{JOURNAL}test_a_journal_that_another_program_locked_is_waited_for_no_longer_than_the_deadline",
            f"{JOURNAL}test_a_frozen_process_that_holds_the_journal_is_waited_for_no_longer_than_the_deadline",
        ),
    ),
    35: Fault(
        "An old backup of the journal restored after its entries were applied.",
        (f"{READING}test_a_journal_restored_from_a_backup_finds_its_turn_again_and_applies_nothing_twice",),
        later="`journal restore`, which gives a restored journal a new generation",
    ),
    36: Fault(
        "The journal cloned to a second host.",
        (f"{JOURNAL}test_a_clone_of_the_folder_without_its_id_beside_it_is_opened",),
        later="the alarm about a clone",
    ),
    37: Fault(
        "The wall clock jumps, either way.",
        (
            f"{CLOCK}test_order_is_kept_whatever_the_clock_says_in_between",
            f"{CLOCK}test_a_clock_that_is_set_back_keeps_nothing_waiting_for_it",
            f"{CLOCK}test_a_wrong_clock_forgets_nothing_and_knows_that_it_looked",
            f"{LOGIN}test_a_clock_that_jumps_ends_sessions_and_never_prolongs_them",
        ),
    ),
    38: Fault(
        "A column or table is changed while writes for it are pending.",
        (
            f"{POISON}test_a_column_that_was_dropped_meanwhile_pauses_its_kind_and_is_red",
            f"{CODES}test_a_missing_table_holds_the_kind_and_is_red",
        ),
    ),
    39: Fault(
        "A handler was renamed or removed: named at the start, held, red; an alias takes its writes over.",
        (
            f"{POISON}test_a_kind_that_was_renamed_without_an_alias_is_held_red_and_goes_on_with_one",
            f"{HANDLERS}test_a_kind_that_is_mended_by_a_new_release_goes_on",
        ),
    ),
    40: Fault(
        "An effect outside, such as a mail: once, and only for what is committed.",
        (f"{POISON}test_what_is_done_outside_is_done_once_and_only_for_what_is_committed",),
    ),
    41: Fault(
        "A handler swallows a database error, or ends the transaction itself.",
        (
            f"{HANDLERS}test_a_mistake_of_ours_is_kept_pending_and_only_its_kind_is_held[swallow-swallowed_error]",
            f"{HANDLERS}test_a_handler_that_ends_the_transaction_itself_is_never_called_stored",
        ),
    ),
    42: Fault(
        "Poison at the head: set aside with one notice, and the rest flows.",
        (
            f"{POISON}test_poison_at_the_head_is_set_aside_with_one_notice_and_the_rest_flows",
            f"{HANDLERS}test_poison_at_the_head_is_set_aside_and_the_rest_drains",
        ),
    ),
    43: Fault(
        "A storm of poison: the kind is paused instead of everything being set aside.",
        (
            f"{POISON}test_a_storm_of_refusals_pauses_its_kind_instead_of_setting_everything_aside",
            f"{POISON}test_whoever_asks_for_a_pass_after_a_storm_sets_the_next_ones_aside",
            f"{CODES}test_a_missing_grant_holds_the_kind_and_is_red",
        ),
    ),
    44: Fault("A million pending writes.", command="python -m tests.sweep.million"),
    45: Fault("A backup during writes, and its restore.", later="backup"),
    46: Fault("The alerts' mail server is down, slow, or redirects.", later="alerts"),
    47: Fault(
        "The whole console with PostgreSQL down.",
        (
            f"{BROWSER}test_outage_pages.py::test_login_search_student_and_console_work_in_an_outage",
            "tests/integration/test_console_outage.py::test_in_an_outage_all_of_it_works",
        ),
    ),
    48: Fault(
        "Hostile text: refused before anything is kept, else kept as it was sent.",
        (
            f"{HOSTILE}test_whatever_is_sent_is_refused_before_it_is_kept_or_applied_as_it_was_sent",
            f"{HOSTILE}test_in_an_outage_nothing_is_kept_that_becomes_poison_later",
            f"{SUBMIT}test_a_hostile_payload_is_refused_before_anything_is_tried",
            f"{SUBMIT}test_what_is_kept_is_what_was_sent",
            "tests/property/test_api_description.py::"
            "test_without_postgresql_every_answer_is_as_described_and_what_was_taken_arrives",
            f"{FORMS}test_a_hostile_text_in_any_field_is_refused_in_words_or_stored_as_typed",
            f"{FILE}test_a_file_is_imported_or_reported_record_by_record_and_a_second_run_changes_nothing",
        ),
        "make fuzz",
    ),
    49: Fault(
        "A huge or a compressed body.",
        (
            f"{API_ERRORS}test_a_body_may_have_256_kib_and_no_byte_more",
            f"{API_ERRORS}test_a_chunked_body_is_cut_off_too",
            f"{API_ERRORS}test_a_zipped_body_is_not_unzipped",
            f"{REQUESTS}test_what_no_client_would_send_is_refused_and_writes_nothing",
            f"{REQUESTS}test_a_body_without_end_is_left_unread_and_costs_no_memory",
            f"{REQUESTS}test_what_was_cut_off_on_its_way_is_not_taken_for_all_that_was_sent",
        ),
    ),
    50: Fault(
        "A script in what was typed is shown as text.",
        (
            f"{FORMS}test_markup_in_a_name_is_text_on_every_page",
            f"{DESK}test_a_script_in_a_name_is_only_a_name",
            f"{RIGHTS}test_every_answer_carries_a_strict_policy",
            "tests/integration/test_acesso_usuarios.py::test_names_are_shown_as_text",
        ),
        later="CSV and mail",
    ),
    51: Fault(
        "A forged act of an operator's.",
        (
            f"{ROUTES}test_no_form_is_taken_without_the_token_of_its_session",
            f"{ROUTES}test_no_form_of_another_site_is_taken_even_with_the_token",
            f"{RIGHTS}test_no_get_changes_anything",
        ),
    ),
    52: Fault(
        "Passwords are guessed.",
        (
            f"{GUESSES}test_an_unknown_login_waits_as_a_known_one_does",
            f"{GUESSES}test_a_flood_of_logins_leaves_threads_for_everybody_else",
            f"{LOGIN}test_an_unknown_a_disabled_and_a_mistyped_login_get_the_same_answer",
        ),
    ),
    53: Fault(
        "A planted session, a stolen cookie, a disabled user.",
        (
            f"{LOGIN}test_a_login_makes_a_new_id_so_that_a_planted_one_is_worth_nothing",
            f"{LOGIN}test_a_stolen_cookie_is_worth_nothing_after_the_logout",
            "tests/integration/test_acesso_processos.py::"
            "test_a_disabled_user_is_out_at_once_in_every_other_process",
        ),
    ),
    54: Fault(
        "A forged Host.",
        (
            "tests/unit/test_acesso_hospedeiro.py::test_and_to_no_other",
            "tests/unit/test_acesso_hospedeiro.py::"
            "test_an_app_on_this_machine_answers_to_the_names_of_this_machine",
        ),
    ),
    55: Fault("Path tricks in the names of backups.", later="backup"),
    56: Fault(
        "Control characters and personal data stay out of the logs.",
        (
            f"{REQUESTS}test_nothing_of_it_stands_in_the_log_and_one_event_is_one_line",
            "tests/property/test_hostile_logs.py::"
            "test_every_event_is_one_line_of_json_without_control_characters",
            f"{LOGIN}test_nothing_personal_or_secret_is_in_the_log",
            "tests/integration/test_embedded.py::test_personal_data_stays_out_of_the_log",
            "tests/unit/test_drill_checker.py::test_a_person_in_a_log_is_found",
        ),
        "make drill",
    ),
    57: Fault(
        "The journal's folder is stolen: useless without the key.",
        (
            f"{JOURNAL}test_no_field_lies_in_plain_text_anywhere_in_the_folder",
            f"{JOURNAL}test_only_their_owner_can_read_the_files",
        ),
    ),
    58: Fault(
        "The key is missing, rotated or wrong.",
        (
            f"{JOURNAL}test_without_its_key_a_journal_does_not_open",
            f"{JOURNAL}test_after_a_rotation_old_entries_are_readable_and_ids_stay",
            "tests/unit/test_settings.py::test_a_journal_whose_key_is_missing_stops_the_start",
        ),
    ),
    59: Fault("The erasure of a person who is pending, drained, or in a backup.", later="backup"),
    60: Fault("A replicated journal without a quorum.", later="cluster"),
    61: Fault(
        "A frozen backend thaws after its client was told something else.",
        (
            f"{LOST}test_what_arrives_after_the_retry_and_after_the_drain_has_no_second_effect",
            f"{COMMIT}test_a_frozen_backend_that_is_thawed_later_has_no_second_effect",
            f"{COMMIT}test_a_transaction_that_still_hangs_on_the_server_has_no_effect_once_its_write_was_given_up",
            f"{COMMIT}test_an_older_version_of_a_fenced_write_is_never_applied",
        ),
    ),
    62: Fault(
        "One locked row at the head: only what shares its keys waits.",
        (
            f"{POISON}test_a_row_that_somebody_forgot_to_unlock_holds_only_what_shares_its_keys",
            f"{ORDER}test_a_locked_row_at_the_head_of_the_backlog_lets_the_rest_through",
        ),
    ),
    63: Fault(
        "PostgreSQL was restored from a backup: what it lacks is offered again.",
        (
            f"{SET_BACK}test_what_was_forgotten_comes_back_once_and_in_order",
            f"{SET_BACK}test_no_direct_write_overtakes_what_was_forgotten",
        ),
    ),
    64: Fault(
        "F5 with a changed field after a time-out: the newer value stays.",
        (
            f"{DESK}test_f5_with_a_changed_field_keeps_the_newer_value",
            f"{DESK_OUTAGE}test_f5_with_a_changed_field_in_an_outage_keeps_the_newer_value",
            f"{BROWSER}test_repeats.py::"
            "test_a_form_that_is_sent_again_with_a_changed_field_after_a_time_out_keeps_the_newer_value",
        ),
    ),
    65: Fault(
        "synchronous_commit switched off for a role or database; a server that does not flush.",
        (
            f"{UNTRUSTED}test_whoever_set_it_a_commit_is_synchronous",
            f"{UNTRUSTED}test_a_server_that_does_not_flush_is_used_and_never_green",
        ),
    ),
}


def render() -> str:
    """The table as a page."""
    lines = [
        "# The faults, and what causes each of them",
        "",
        "Written by `python -m tests.fault.catalogue`; a test checks that it is current, that every number",
        "stands here once, and that every test exists. In every row I0 is asked for: no accepted write lost,",
        "none applied twice, order kept, the person told the truth.",
        "",
        "| # | fault | caused by |",
        "|---|---|---|",
    ]
    for number, fault in FAULTS.items():
        causes = [f"`{test.removeprefix('tests/')}`" for test in fault.tests]
        causes += [f"`{fault.command}`"] if fault.command else []
        causes += [f"not yet: {fault.later}"] if fault.later else []
        lines.append(f"| {number} | {fault.sentence} | {'<br>'.join(causes)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
