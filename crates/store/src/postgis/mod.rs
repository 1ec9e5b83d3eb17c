//! The record in PostgreSQL with PostGIS.

mod connect;
mod failure;
mod pool;
mod url;
