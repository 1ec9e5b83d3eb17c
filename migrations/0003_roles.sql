-- Roles that logins are given: citymap_owner (what the program needs: imports, edits, migrations), citymap_writer (edits rows of
-- the layers, as QGIS does; the triggers keep history and catalogue, which it may not touch) and citymap_reader (sees all but
-- citymap.document, where webhooks keep their secrets). They are of the whole cluster, log in themselves nowhere, and are made
-- where the migrating user may; where not, `citymap doctor` says so.
--
-- Everything belongs to citymap_owner where it may be given to it: the program acts as the owner of schema city when its login is
-- a member, so that tables that one login made another can replace.
DO $$
DECLARE
    role text;
    maker text := current_user;
    schemas text[] := ARRAY['city', 'city_vn2000', 'history', 'citymap'];
    thing record;
BEGIN
    FOREACH role IN ARRAY ARRAY['citymap_owner', 'citymap_writer', 'citymap_reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            END IF;
        EXCEPTION
            -- Another database of the cluster may be migrated at this moment.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'role % cannot be made by this user', role;
                RETURN;
        END;
    END LOOP;

    FOR thing IN SELECT nspname FROM pg_namespace WHERE nspname = ANY (schemas) LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO citymap_reader, citymap_writer', thing.nspname);
        EXECUTE format('GRANT ALL ON SCHEMA %I TO citymap_owner', thing.nspname);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO citymap_reader, citymap_writer', thing.nspname);
    END LOOP;
    GRANT INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA city TO citymap_writer;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA city TO citymap_writer;
    REVOKE ALL ON citymap.document FROM citymap_reader, citymap_writer;

    -- What will be made later, by this user and, where that is possible, by the owner.
    FOREACH role IN ARRAY ARRAY[maker, 'citymap_owner'] LOOP
        BEGIN
            FOR thing IN SELECT nspname FROM pg_namespace WHERE nspname = ANY (schemas) LOOP
                EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO citymap_reader, '
                    'citymap_writer', role, thing.nspname);
            END LOOP;
            EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA city GRANT INSERT, UPDATE, DELETE, TRUNCATE ON TABLES '
                'TO citymap_writer', role);
            EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA city GRANT USAGE ON SEQUENCES TO citymap_writer', role);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'what % makes later cannot be shared by this user', role;
        END;
    END LOOP;

    BEGIN
        EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO citymap_owner', current_database());
        FOR thing IN SELECT nspname FROM pg_namespace WHERE nspname = ANY (schemas) LOOP
            EXECUTE format('ALTER SCHEMA %I OWNER TO citymap_owner', thing.nspname);
        END LOOP;
        FOR thing IN SELECT c.oid::regclass::text AS name, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = ANY (schemas) AND (c.relkind IN ('r', 'v', 'p') OR c.relkind = 'S' AND NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass)) LOOP
            EXECUTE format('ALTER %s %s OWNER TO citymap_owner',
                CASE thing.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, thing.name);
        END LOOP;
        FOR thing IN SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = ANY (schemas) LOOP
            EXECUTE format('ALTER FUNCTION %s OWNER TO citymap_owner', thing.name);
        END LOOP;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE NOTICE 'the tables stay with %, since they cannot be given to citymap_owner by this user', maker;
    END;
END $$;
