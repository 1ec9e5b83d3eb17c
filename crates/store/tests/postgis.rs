//! The conformance suite over the PostGIS store, each test in a database of its own.

mod conformance;
mod databases;

use databases::Database;

macro_rules! suite {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            let Some(database) = Database::new() else { return };
            let store = database.store();
            conformance::$name(&store);
            conformance::nothing_is_wrong(&store);
        }
    )*};
}

suite!(
    an_empty_city_has_revision_0_and_no_layers,
    what_is_written_is_read_back_in_order,
    every_kind_of_value_comes_back,
    a_text_with_a_zero_character_is_rejected,
    every_kind_of_geometry_comes_back,
    a_dropped_change_set_changes_nothing,
    a_failed_change_set_cannot_be_committed,
    a_replaced_layer_keeps_the_numbers_of_unique_keys,
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
    the_sink_can_stop_the_reading,
    names_are_kept_whatever_they_are,
    readers_beside_a_writer_see_whole_revisions,
    random_operations_agree_with_a_model,
);
