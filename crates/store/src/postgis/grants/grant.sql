-- Grants to each role that is there what it is for, as the migrations do where they can make the roles. Takes from readers what
-- citymap.share does not give them.
DO $$
DECLARE
    parts text[] := ARRAY['city', 'city_vn2000', 'history', 'citymap'];
    role text;
    part text;
    entry citymap.layer;
BEGIN
    FOREACH role IN ARRAY ARRAY['citymap_writer', 'citymap_reader', 'citymap_reader_personal'] LOOP
        CONTINUE WHEN to_regrole(role) IS NULL;
        FOREACH part IN ARRAY parts || 'city_public'::text LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', part, role);
        END LOOP;
        FOREACH part IN ARRAY parts LOOP
            IF role <> 'citymap_reader' OR part = 'citymap' THEN
                EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', part, role);
                EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO %I', part, role);
            END IF;
        END LOOP;
        EXECUTE format('REVOKE ALL ON citymap.document FROM %I', role);
    END LOOP;
    IF to_regrole('citymap_writer') IS NOT NULL THEN
        GRANT INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA city TO citymap_writer;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA city TO citymap_writer;
        ALTER DEFAULT PRIVILEGES IN SCHEMA city GRANT INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO citymap_writer;
        ALTER DEFAULT PRIVILEGES IN SCHEMA city GRANT USAGE ON SEQUENCES TO citymap_writer;
    END IF;
    FOR entry IN SELECT * FROM citymap.layer l WHERE to_regclass(format('city.%I', l.id)) IS NOT NULL LOOP
        PERFORM citymap.share(entry.id, entry.definition::jsonb, entry.columns, entry.history);
    END LOOP;
END $$
