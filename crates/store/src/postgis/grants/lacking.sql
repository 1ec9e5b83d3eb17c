-- What roles lack, a role and a thing in each row. Tables of other programs are left out. Readers have what citymap.share gives
-- them, the others whole tables and what will be made later.
WITH roles AS (
    SELECT oid, rolname::text AS role FROM pg_roles
    WHERE rolname IN ('citymap_writer', 'citymap_reader', 'citymap_reader_personal')
),
parts AS (
    SELECT oid, nspname::text AS part, nspowner FROM pg_namespace
    WHERE nspname IN ('city', 'city_vn2000', 'city_public', 'history', 'citymap')
),
things AS (
    SELECT c.oid, p.part, c.relname::text AS name FROM pg_class c JOIN parts p ON p.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'p') AND CASE p.part
        WHEN 'citymap' THEN c.relname <> 'document'
        WHEN 'history' THEN true
        ELSE c.relname IN (SELECT id FROM citymap.layer) END
)
SELECT role, 'the schema ' || part FROM roles r, parts p WHERE NOT has_schema_privilege(r.oid, p.oid, 'USAGE')
UNION ALL
SELECT role, part || '.' || name FROM roles r, things t WHERE NOT CASE
    WHEN role = 'citymap_reader' THEN part = 'history' OR has_any_column_privilege(r.oid, t.oid, 'SELECT')
    ELSE has_table_privilege(r.oid, t.oid, 'SELECT') END
UNION ALL
SELECT role, 'edits of city.' || name FROM roles r, things t WHERE role = 'citymap_writer' AND part = 'city' AND NOT (
    has_table_privilege(r.oid, t.oid, 'INSERT') AND has_table_privilege(r.oid, t.oid, 'UPDATE')
    AND has_table_privilege(r.oid, t.oid, 'DELETE'))
UNION ALL
SELECT role, 'what will be made in the schema ' || part FROM roles r, parts p
WHERE role <> 'citymap_reader' AND part <> 'city_public' AND NOT EXISTS (
    SELECT FROM pg_default_acl d, aclexplode(d.defaclacl) a
    WHERE d.defaclrole = p.nspowner AND d.defaclnamespace = p.oid AND d.defaclobjtype = 'r' AND a.grantee = r.oid
        AND a.privilege_type = 'SELECT')
