"""What the earlier system did wrong, and the test that would notice it here (held by test_catalogue.py)."""

from __future__ import annotations

from dataclasses import dataclass

_FUNCTIONS = "tests/acceptance/test_three_functions.py::"
_IMPORT = "tests/acceptance/test_import_legacy.py::"
_FAILURES = "tests/unit/test_failures.py::"


@dataclass(frozen=True)
class Defect:
    """What it did, and which tests name the opposite; or the part that has to be built first."""

    sentence: str
    tests: tuple[str, ...] = ()
    later: str = ""


DEFECTS = (
    Defect(
        "a duplicate check without a guard made the fallback unreachable in an ordinary outage",
        (
            f"{_FUNCTIONS}test_in_an_outage_it_is_pending_with_a_warning_and_stored_by_itself_afterwards",
            "tests/integration/test_balcao_queda.py::test_pending_then_later_stored",
            "tests/integration/test_api_queda.py::"
            "test_a_registration_in_an_outage_is_pending_and_stored_afterwards",
        ),
    ),
    Defect(
        "a black-holed database held the person for half an hour",
        (
            f"{_FUNCTIONS}test_a_frozen_database_holds_nobody_up",
            "tests/integration/test_balcao_queda.py::test_a_black_hole_is_an_outage",
            "tests/integration/test_api_queda.py::"
            "test_a_frozen_postgresql_keeps_nobody_longer_than_the_deadline",
        ),
    ),
    Defect(
        "the web server's patience ended first and nothing was kept",
        (
            "tests/fault/slow_web_server.py::"
            "test_a_worker_that_is_killed_for_its_slowness_leaves_a_write_that_can_be_sent_again",
            "tests/fault/test_web_server.py::test_a_sigterm_lets_the_write_in_hand_end",
        ),
    ),
    Defect(
        "a damaged file of pending records was taken for empty and overwritten",
        (
            "tests/fault/test_engine_journal.py::test_a_flipped_bit_on_the_disk_is_never_silent",
            "tests/fault/test_engine_journal.py::"
            "test_a_journal_removed_before_the_start_is_an_alarm_and_no_first_start",
            f"{_IMPORT}test_of_a_file_that_was_cut_off_499_of_500_are_saved_and_one_is_reported",
        ),
    ),
    Defect(
        "of eight registrations at once one was kept",
        (
            f"{_FUNCTIONS}test_eight_at_once_from_four_processes_are_eight_students",
            "tests/fault/test_engine_journal.py::"
            "test_four_processes_with_threads_append_without_a_gap_and_nobody_starves",
        ),
    ),
    Defect(
        "what was registered during a replay was lost when it rewrote its file",
        ("tests/fault/test_drainers.py::test_what_is_accepted_during_a_drain_is_not_lost_by_it",),
    ),
    Defect(
        "a kill during a replay duplicated what was stored already",
        (
            "tests/fault/test_engine_outage.py::test_another_process_takes_over_when_the_drainer_is_killed",
            "tests/fault/test_crash_sweep.py::test_no_step_of_the_disk_loses_what_was_answered",
        ),
    ),
    Defect(
        "records that failed appended themselves again",
        (
            "tests/fault/test_poison.py::"
            "test_poison_at_the_head_is_set_aside_with_one_notice_and_the_rest_flows",
            "tests/integration/test_engine_verify.py::test_every_write_is_in_exactly_one_state",
        ),
    ),
    Defect(
        "a lost acknowledgement stored the student twice, each time under a new id",
        (
            "tests/fault/test_lost_answers.py::test_a_lost_commit_has_one_effect",
            f"{_FUNCTIONS}test_one_key_is_one_write_whatever_it_is_called",
        ),
    ),
    Defect(
        "one session shared by all threads: success without a row",
        (
            "tests/fault/slow_web_server.py::"
            "test_workers_forked_from_a_master_that_has_the_engine_open_share_nothing",
            "tests/integration/test_engine_bad_handlers.py::"
            "test_a_handler_that_ends_the_transaction_itself_is_never_called_stored",
        ),
    ),
    Defect(
        "failures were told apart by words: two of nineteen were recognised",
        (
            f"{_FAILURES}test_an_outage_is_told_from_everything_else",
            f"{_FAILURES}test_whoever_could_not_connect_has_sent_nothing",
            "tests/fault/test_postgres_faults.py::"
            "test_through_a_fault_every_write_is_answered_truly_and_takes_effect_once_in_order",
        ),
    ),
    Defect(
        "read-only, disk full and deadlock were refused without a fallback",
        (
            "tests/integration/test_engine_codes.py::test_a_read_only_database_is_an_outage",
            "tests/fault/test_poison.py::"
            "test_a_full_disk_of_postgresql_is_an_alarm_and_slows_the_drain_to_a_probe",
            "tests/integration/test_engine_codes.py::test_a_deadlock_is_tried_again_at_once",
        ),
    ),
    Defect(
        "a wrong password counted as temporary for ever",
        ("tests/integration/test_engine_codes.py::test_a_wrong_password_is_pending_and_red",),
    ),
    Defect(
        "a damaged file was shown as green, nothing pending",
        (
            f"{_FUNCTIONS}test_a_journal_that_is_gone_is_told_as_unknown_figures_and_as_not_kept",
            "tests/integration/test_console_outage.py::test_a_journal_that_is_gone_is_unknown_and_red",
            "tests/unit/test_console_texts.py::test_unknown_is_not_zero",
        ),
    ),
    Defect(
        "pending was told to the person as an ordinary success",
        (
            f"{_FUNCTIONS}test_in_an_outage_it_is_pending_with_a_warning_and_stored_by_itself_afterwards",
            "tests/unit/test_balcao_textos.py::test_the_sentences_of_the_design",
        ),
    ),
    Defect(
        "the automatic synchronisation did not exist",
        ("tests/fault/test_engine_outage.py::test_a_worker_drains_after_the_outage_without_being_asked",),
    ),
    Defect(
        "up to three tries were four",
        ("tests/unit/test_engine_small_parts.py::test_retries_end_with_their_number_or_the_deadline",),
    ),
    Defect(
        "the operator's page was open to every login and took forged forms",
        (
            "tests/integration/test_console_rights.py::test_without_the_right_nothing_is_shown_or_done",
            "tests/integration/test_acesso_rotas.py::test_no_form_is_taken_without_the_token_of_its_session",
        ),
    ),
    Defect(
        "names were put into the page as markup",
        (
            "tests/integration/test_balcao_cadastro.py::test_a_script_in_a_name_is_only_a_name",
            "tests/integration/test_console_rights.py::test_every_answer_carries_a_strict_policy",
        ),
    ),
    Defect(
        "twelve of the form's twenty-one fields were dropped silently",
        (
            "tests/integration/test_balcao_cadastro.py::test_every_field_is_stored_and_shown_again",
            "tests/integration/test_api_alunos.py::"
            "test_a_registration_is_stored_and_can_be_read_with_every_field",
        ),
    ),
    Defect(
        "with the database refused at the start it showed invented students",
        (
            "tests/integration/test_supervisor.py::"
            "test_with_a_database_out_of_reach_the_app_serves_all_the_same",
            "tests/integration/test_api_queda.py::"
            "test_before_the_migration_writes_are_kept_and_reading_says_that_it_cannot",
        ),
    ),
    Defect("the monitor put a fake student into the real database", later="`robusto monitor`"),
    Defect(
        "the integrator made a syntax error, changed no call and reported success",
        later="`robusto integrate`",
    ),
    Defect("the integrator's second run overwrote its backup", later="`robusto integrate`"),
)
