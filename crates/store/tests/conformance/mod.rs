//! What a [`Store`] is, as tests: each function takes an empty store and judges it. A store of
//! another kind runs the same functions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(unused_macros, reason = "one test of both stores takes the helpers alone")]

mod editing;
mod layers;
mod lives;
mod model;
mod parts;
mod past;
mod record;
mod seen;
mod values;
mod writing;

pub(crate) use editing::*;
pub(crate) use layers::*;
pub(crate) use lives::a_random_life_is_remembered;
pub(crate) use model::random_operations_agree_with_a_model;
pub(crate) use past::*;
pub(crate) use record::*;
pub(crate) use values::*;
pub(crate) use writing::*;

use citymap_store::{Severity, Store};

/// A test for each name, which gives `$on` the function of that name.
macro_rules! each {
    ($on:path; $($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            $on(conformance::$name);
        }
    )*};
}

/// The whole suite over the stores that `$on` makes: it calls the function that it is given with an empty
/// one.
macro_rules! suite {
    ($on:path) => {
        conformance::each!(
            $on;
            an_empty_city_has_revision_0_and_no_layers,
            what_is_written_is_read_back_in_order,
            every_kind_of_value_comes_back,
            a_text_with_a_zero_character_is_rejected,
            every_kind_of_geometry_comes_back,
            a_dropped_change_set_changes_nothing,
            a_failed_change_set_cannot_be_committed,
            a_replaced_layer_keeps_the_numbers_of_unique_keys,
            the_same_again_is_no_change,
            an_upsert_leaves_the_fields_that_it_lacks,
            a_number_is_never_given_twice,
            a_replaced_layer_may_change_its_shape,
            append_adds_and_fills_missing_fields_with_null,
            append_refuses_what_does_not_fit,
            upsert_replaces_by_key,
            upsert_rejects_what_it_cannot_match,
            upsert_moves_a_feature_in_the_index,
            one_writer_at_a_time,
            a_view_stays_at_its_revision,
            several_layers_and_turns_make_one_revision,
            the_log_tells_newest_first,
            what_contradicts_itself_is_refused,
            geometry_that_does_not_fit_is_rejected,
            geometry_that_is_too_short_is_rejected,
            the_sink_can_stop_the_reading,
            names_are_kept_whatever_they_are,
            readers_beside_a_writer_see_whole_revisions,
            random_operations_agree_with_a_model,
            an_edit_adds_changes_and_removes,
            an_edit_of_every_kind_of_layer,
            edits_are_seen_by_those_after_them,
            edits_of_one_turn_count_by_what_they_come_to,
            what_an_edit_cannot_do_is_rejected,
            a_removed_feature_comes_back_with_its_number,
            an_edit_leaves_the_fields_as_they_are,
            an_aborted_edit_leaves_no_trace,
            a_dropped_layer_is_gone_and_its_numbers_stay_taken,
            a_restored_layer_has_the_numbers_it_is_given,
            former_revisions_are_as_they_were,
            changes_are_what_two_full_reads_differ_in,
            a_revision_that_is_not_there_is_refused,
            a_former_view_stays_while_others_write,
            a_replace_by_nearly_the_same_touches_little,
            another_kind_of_geometry_keeps_the_past,
            the_log_is_read_forwards_too,
            a_time_has_a_revision,
            another_stores_revisions_are_repeated_exactly,
            documents_are_compared_and_swapped,
            waiting_ends_with_a_commit_or_the_time,
            a_random_life_is_remembered,
        );
    };
}
pub(crate) use {each, suite};

/// A function of the suite.
pub(crate) type Test = fn(&dyn Store);

/// Passes if `check` finds nothing but what is good.
pub(crate) fn nothing_is_wrong(store: &dyn Store) {
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }
}
