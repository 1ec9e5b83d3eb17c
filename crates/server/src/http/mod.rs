//! What every route shares: the request as handlers see it, its parameters, and how an answer or a problem is
//! sent.

pub(crate) mod auth;
pub(crate) mod base;
pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod coords;
pub(crate) mod cors;
pub(crate) mod datetime;
pub(crate) mod feature_path;
pub(crate) mod filter;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod methods;
pub(crate) mod middleware;
pub(crate) mod negotiate;
pub(crate) mod parameters;
pub(crate) mod params;
pub(crate) mod prefix;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod response;
