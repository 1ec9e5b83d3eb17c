//! The city over HTTP: tiles, OGC API, questions, web map.
