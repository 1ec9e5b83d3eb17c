//! The roles of least privilege (`migrations/0003_roles.sql`, `0004_readers.sql`), and which login acts as
//! the owner.

use sqlx::{AssertSqlSafe, Error as Sql, PgConnection, Row as _};

use crate::columns::quoted;

/// The role to which everything belongs.
pub(super) const OWNER: &str = "citymap_owner";

/// The roles, and what each is for.
pub(super) const ROLES: [(&str, &str); 4] = [
    (OWNER, "the program's own login"),
    ("citymap_writer", "logins that edit layers, as in QGIS"),
    ("citymap_reader", "logins that only look, at public fields"),
    ("citymap_reader_personal", "logins that only look, also at personal fields"),
];

/// Lets a connection that writes act as the owner of schema `city`, if its login is a member, so that one
/// login can replace a table that another one has made.
pub(super) async fn act_as_owner(conn: &mut PgConnection) -> Result<(), Sql> {
    const SQL: &str = "SELECT r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner \
         WHERE n.nspname = 'city' AND r.rolname <> current_user AND pg_has_role(r.oid, 'MEMBER')";
    let owner = sqlx::query(SQL).fetch_optional(&mut *conn).await?;
    if let Some(owner) = owner {
        let owner: String = owner.try_get(0)?;
        sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {}", quoted(&owner)))).execute(conn).await?;
    }
    Ok(())
}
