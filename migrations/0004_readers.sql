-- What readers may see, and what a layer's table may hold.
--
-- citymap_reader reads public fields only: of a layer with personal fields the other columns of city.LAYER and
-- city_vn2000.LAYER, and nothing of the history of a layer that has or had one. city_public.LAYER shows the public
-- fields of every layer as a whole table, for programs that ask for all columns. citymap_reader_personal reads all of it,
-- but not citymap.document either.
CREATE SCHEMA city_public;
COMMENT ON SCHEMA city_public IS 'The layers without their personal fields (WGS 84). Read only.';

-- Whether the parentheses of a geometry's text are nested deeper than in anything that is real (60 levels).
CREATE FUNCTION citymap.nested_deep(shape text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rest text := regexp_replace(shape, '[^()]', '', 'g');
BEGIN
    FOR level IN 1..60 LOOP
        EXIT WHEN rest = '';
        rest := replace(rest, '()', '');
    END LOOP;
    RETURN rest <> '';
END $$;

-- After an edit: refuses what no feature can hold, and keeps what was.
CREATE OR REPLACE FUNCTION citymap.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry citymap.layer;
    number bigint;
    bad bigint;
    arcs bigint;
    deep bigint;
    there boolean;
    fids bigint[];
    gone text;
    -- Leaves out what this revision added, if it added anything: asked for each row, it is not free.
    but_added text := '';
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT EXISTS (SELECT FROM former) INTO there;
    ELSE
        SELECT EXISTS (SELECT FROM latter) INTO there;
    END IF;
    IF NOT there THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT entry FROM citymap.layer l WHERE l.id = TG_TABLE_NAME;
    number := citymap.open_revision();
    PERFORM citymap.note(entry.id, number);
    PERFORM FROM citymap.added a
        WHERE a.layer = entry.id AND a.generation = entry.generation AND a.revision = number LIMIT 1;
    IF FOUND THEN
        but_added := ' AND NOT citymap.was_added($2, $3, $1, %s.fid)';
    END IF;

    IF TG_OP <> 'DELETE' AND entry.spatial THEN
        -- The text of a geometry has these letters in a number that is not finite, or in the name of a type with arcs or
        -- of a surface of patches, and nowhere else.
        EXECUTE format(
            'SELECT min(fid) FILTER (WHERE shape ~* ''nan|inf''), '
            'min(fid) FILTER (WHERE shape ~* ''circular|compound|curve|surface|tin|triangle''), '
            'min(fid) FILTER (WHERE shape ~ ''COLLECTION.*COLLECTION'' AND citymap.nested_deep(shape)) '
            'FROM (SELECT fid, %s.st_astext(geom) AS shape FROM latter OFFSET 0) written', citymap.postgis_schema())
            INTO bad, arcs, deep;
        IF bad IS NOT NULL THEN
            RAISE EXCEPTION 'layer "%", feature %: a coordinate is no finite number', entry.id, bad
                USING ERRCODE = 'check_violation';
        ELSIF arcs IS NOT NULL THEN
            RAISE EXCEPTION 'layer "%", feature %: the city map holds no arcs and no surfaces of patches (curve, TIN, '
                'polyhedral surface), also not inside a collection', entry.id, arcs
                USING ERRCODE = 'check_violation', HINT = 'ST_CurveToLine turns arcs into lines.';
        ELSIF deep IS NOT NULL THEN
            RAISE EXCEPTION 'layer "%", feature %: its collections are nested too deep', entry.id, deep
                USING ERRCODE = 'check_violation', HINT = 'ST_CollectionHomogenize takes nested collections apart.';
        END IF;
    END IF;

    IF TG_OP <> 'INSERT' THEN
        gone := CASE
            WHEN TG_OP = 'DELETE' THEN 'former o WHERE true'
            ELSE format('former o LEFT JOIN latter n ON n.fid = o.fid WHERE (n.fid IS NULL OR ROW(o.fid%s)::record *<> ROW(n.fid%s)::record)',
                citymap.listed(entry.spatial, entry.columns, 'o.'), citymap.listed(entry.spatial, entry.columns, 'n.'))
        END;
        EXECUTE format(
            'INSERT INTO history.%I (revision, fid%s) SELECT $1, o.fid%s FROM %s%s ON CONFLICT DO NOTHING',
            entry.history, citymap.listed(entry.spatial, entry.columns, ''),
            citymap.listed(entry.spatial, entry.columns, 'o.'), gone, replace(but_added, '%s', 'o'))
        USING number, entry.id, entry.generation;
    END IF;

    IF TG_OP <> 'DELETE' THEN
        EXECUTE format(
            'SELECT array_agg(n.fid ORDER BY n.fid) FROM latter n WHERE %s '
            'NOT EXISTS (SELECT FROM history.%I h WHERE h.revision = $1 AND h.fid = n.fid)%s',
            CASE WHEN TG_OP = 'UPDATE' THEN 'NOT EXISTS (SELECT FROM former o WHERE o.fid = n.fid) AND' ELSE '' END,
            entry.history, replace(but_added, '%s', 'n'))
        INTO fids USING number, entry.id, entry.generation;
        IF fids IS NOT NULL THEN
            PERFORM citymap.add_numbers(entry.id, entry.generation, number, fids);
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Brings what readers see in line with a layer's definition: makes its view in city_public, and grants.
CREATE FUNCTION citymap.share(layer_id text, layer_definition jsonb, layer_columns text[], layer_history text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shown text[];
    there text[];
    listed text;
    whole boolean;
    former boolean;
    role text;
    thing text;
BEGIN
    SELECT coalesce(array_agg(c.name ORDER BY c.place), '{}') INTO shown
        FROM unnest(layer_columns) WITH ORDINALITY AS c (name, place)
        WHERE NOT coalesce((layer_definition -> 'fields' -> (c.place::integer - 1) ->> 'personal')::boolean, false);
    whole := cardinality(shown) = cardinality(layer_columns);
    IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = format('city.%I', layer_id)::regclass
        AND a.attname = 'geom' AND NOT a.attisdropped) THEN
        shown := ARRAY['geom'] || shown;
    END IF;
    shown := ARRAY['fid'] || shown;
    SELECT string_agg(quote_ident(name), ', ' ORDER BY place) INTO listed
        FROM unnest(shown) WITH ORDINALITY AS c (name, place);

    SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO there FROM pg_attribute a
        WHERE a.attrelid = to_regclass(format('city_public.%I', layer_id)) AND a.attnum > 0 AND NOT a.attisdropped;
    IF there IS DISTINCT FROM shown THEN
        EXECUTE format('DROP VIEW IF EXISTS city_public.%I', layer_id);
        EXECUTE format('CREATE VIEW city_public.%I AS SELECT %s FROM city.%I', layer_id, listed, layer_id);
    END IF;
    FOREACH role IN ARRAY ARRAY['citymap_reader', 'citymap_writer', 'citymap_reader_personal'] LOOP
        IF to_regrole(role) IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON city_public.%I TO %I', layer_id, role);
        END IF;
    END LOOP;

    IF to_regrole('citymap_reader') IS NULL THEN
        RETURN;
    END IF;
    FOREACH thing IN ARRAY ARRAY[format('city.%I', layer_id), format('city_vn2000.%I', layer_id)] LOOP
        IF to_regclass(thing) IS NOT NULL THEN
            EXECUTE format('REVOKE ALL ON %s FROM citymap_reader', thing);
            EXECUTE format('GRANT SELECT%s ON %s TO citymap_reader',
                CASE WHEN whole THEN '' ELSE format(' (%s)', listed) END, thing);
        END IF;
    END LOOP;
    former := whole AND NOT EXISTS (
        SELECT FROM citymap.layer_version v, jsonb_array_elements(v.definition::jsonb -> 'fields') field
        WHERE v.layer = layer_id AND (field ->> 'personal')::boolean);
    FOR thing IN SELECT format('history.%I', h.name)
        FROM (SELECT v.history AS name FROM citymap.layer_version v WHERE v.layer = layer_id UNION SELECT layer_history) h
        WHERE to_regclass(format('history.%I', h.name)) IS NOT NULL LOOP
        EXECUTE format('REVOKE ALL ON %s FROM citymap_reader', thing);
        IF former THEN
            EXECUTE format('GRANT SELECT ON %s TO citymap_reader', thing);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION citymap.nested_deep(text), citymap.share(text, jsonb, text[], text) FROM PUBLIC;

DO $$
DECLARE
    acting text := current_user;
    role text;
    thing text;
    entry citymap.layer;
BEGIN
    -- The login may make roles where the owner, as which it acts, may not.
    SET LOCAL ROLE NONE;
    BEGIN
        IF to_regrole('citymap_reader_personal') IS NULL THEN
            CREATE ROLE citymap_reader_personal NOLOGIN;
        END IF;
    EXCEPTION
        -- Another database of the cluster may be migrated at this moment.
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
            RAISE NOTICE 'role citymap_reader_personal cannot be made by this user';
    END;
    EXECUTE format('SET LOCAL ROLE %I', acting);

    FOREACH role IN ARRAY ARRAY['citymap_reader', 'citymap_writer', 'citymap_reader_personal'] LOOP
        IF to_regrole(role) IS NOT NULL THEN
            EXECUTE format('GRANT USAGE ON SCHEMA city_public TO %I', role);
        END IF;
    END LOOP;
    IF to_regrole('citymap_reader_personal') IS NOT NULL THEN
        BEGIN
            FOREACH thing IN ARRAY ARRAY['city', 'city_vn2000', 'history', 'citymap'] LOOP
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO citymap_reader_personal', thing);
                EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO citymap_reader_personal', thing);
            END LOOP;
            REVOKE ALL ON citymap.document FROM citymap_reader_personal;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'the tables cannot be shared with citymap_reader_personal by this user';
        END;
    END IF;

    -- What will be made later: readers get nothing by default, citymap.share gives it to them.
    FOR role IN SELECT acting UNION SELECT 'citymap_owner' WHERE to_regrole('citymap_owner') IS NOT NULL
        UNION SELECT pg_get_userbyid(d.defaclrole) FROM pg_default_acl d
            WHERE d.defaclnamespace IN ('city'::regnamespace, 'city_vn2000'::regnamespace, 'history'::regnamespace) LOOP
        FOREACH thing IN ARRAY ARRAY['city', 'city_vn2000', 'history', 'citymap'] LOOP
            BEGIN
                IF to_regrole('citymap_reader') IS NOT NULL AND thing <> 'citymap' THEN
                    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I REVOKE SELECT ON TABLES FROM '
                        'citymap_reader', role, thing);
                END IF;
                IF to_regrole('citymap_reader_personal') IS NOT NULL THEN
                    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO '
                        'citymap_reader_personal', role, thing);
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE NOTICE 'what % makes later cannot be shared by this user', role;
            END;
        END LOOP;
    END LOOP;

    FOR entry IN SELECT * FROM citymap.layer LOOP
        BEGIN
            PERFORM citymap.share(entry.id, entry.definition::jsonb, entry.columns, entry.history);
        EXCEPTION WHEN undefined_table THEN
            RAISE NOTICE 'layer % has no table; `citymap doctor` tells more', entry.id;
        END;
    END LOOP;
    -- The history of layers that were dropped.
    IF to_regrole('citymap_reader') IS NOT NULL THEN
        FOR thing IN SELECT DISTINCT format('history.%I', v.history) FROM citymap.layer_version v
            WHERE to_regclass(format('history.%I', v.history)) IS NOT NULL AND v.layer IN (
                SELECT w.layer FROM citymap.layer_version w, jsonb_array_elements(w.definition::jsonb -> 'fields') field
                WHERE (field ->> 'personal')::boolean) LOOP
            EXECUTE format('REVOKE ALL ON %s FROM citymap_reader', thing);
        END LOOP;
    END IF;

    BEGIN
        ALTER SCHEMA city_public OWNER TO citymap_owner;
        ALTER FUNCTION citymap.nested_deep(text) OWNER TO citymap_owner;
        ALTER FUNCTION citymap.share(text, jsonb, text[], text) OWNER TO citymap_owner;
        FOR thing IN SELECT format('city_public.%I', c.relname) FROM pg_class c
            WHERE c.relnamespace = 'city_public'::regnamespace AND c.relkind = 'v' LOOP
            EXECUTE format('ALTER VIEW %s OWNER TO citymap_owner', thing);
        END LOOP;
    EXCEPTION WHEN insufficient_privilege OR undefined_object THEN
        RAISE NOTICE 'schema city_public stays with %, since it cannot be given to citymap_owner by this user', acting;
    END;
END $$;
