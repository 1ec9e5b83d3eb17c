-- The record of a city: what is (schema city), what was (history), and the catalogue of both (citymap).
--
-- History is an undo log. A layer's table holds the present. For each feature that revision N changed or removed, the
-- history table of its generation (one list of fields and kind of geometry) holds the row as it was before N, once per
-- (N, fid). Features that N added lie in citymap.added as ranges of numbers. The state of a number at revision R is told by
-- its earliest event after R: a history row is that row, an added range says that it was not there (where a revision has both, the row counts), none leaves the live row.
--
-- An import makes a table aside and lets it take the place of the former one at its end. Whoever reads more than one
-- statement's worth locks the table (LOCK TABLE … IN ACCESS SHARE MODE) before the first statement that reads.

CREATE SCHEMA city;
CREATE SCHEMA city_vn2000;
CREATE SCHEMA history;
CREATE SCHEMA citymap;

COMMENT ON SCHEMA city IS 'Layers of the city map, one table each (WGS 84). Edits become revisions.';
COMMENT ON SCHEMA city_vn2000 IS 'The layers with VN-2000 geometry, EPSG:9210 (TM-3 105°45'', Ho Chi Minh City). Read only.';
COMMENT ON SCHEMA history IS 'Former states of features. Written by the triggers of schema city only.';
COMMENT ON SCHEMA citymap IS 'The catalogue and the log of revisions.';

CREATE TABLE citymap.store (version integer NOT NULL);
INSERT INTO citymap.store VALUES (1);

CREATE TABLE citymap.revision (
    number bigint PRIMARY KEY CHECK (number > 0),
    time timestamptz(3) NOT NULL,
    author text NOT NULL,
    message text NOT NULL,
    source text,
    source_sha256 text,
    token uuid UNIQUE,
    -- Whether its transaction is still on its way; nobody but that transaction ever sees true.
    open boolean NOT NULL DEFAULT false,
    -- Whether it was made by an edit straight in a table.
    captured boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX revision_open ON citymap.revision (open) WHERE open;
CREATE INDEX revision_time ON citymap.revision (time);
COMMENT ON COLUMN citymap.revision.token IS 'Tells a process that lost its connection during COMMIT whether it was committed.';

CREATE TABLE citymap.change (
    revision bigint NOT NULL REFERENCES citymap.revision ON DELETE CASCADE,
    position integer NOT NULL,
    layer text NOT NULL,
    mode text NOT NULL,
    added bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    -- Features of the layer after this change.
    count_after bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (revision, position)
);
CREATE INDEX change_layer ON citymap.change (layer, revision);

-- The layers there are. `columns` are the columns of the definition's fields, in order; `history` is a table's name in schema history.
CREATE TABLE citymap.layer (
    id text PRIMARY KEY,
    definition text NOT NULL,
    columns text[] NOT NULL,
    -- Whether there is a column geom.
    spatial boolean NOT NULL,
    generation bigint NOT NULL,
    history text NOT NULL,
    -- The revision that last touched it.
    revision bigint NOT NULL,
    count bigint NOT NULL
);

-- The definition of a layer from `revision` on, until a later one; null where it was dropped.
CREATE TABLE citymap.layer_version (
    layer text NOT NULL,
    revision bigint NOT NULL,
    definition text,
    columns text[] NOT NULL,
    spatial boolean NOT NULL,
    generation bigint NOT NULL,
    history text NOT NULL,
    PRIMARY KEY (layer, revision)
);

-- The highest numbers ever given, also for layers that are gone: no number is given twice.
CREATE TABLE citymap.numbering (
    layer text PRIMARY KEY,
    last_fid bigint NOT NULL DEFAULT 0,
    generation bigint NOT NULL DEFAULT 0
);

CREATE TABLE citymap.added (
    layer text NOT NULL,
    generation bigint NOT NULL,
    revision bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL CHECK (last >= first),
    PRIMARY KEY (layer, generation, revision, first)
);

CREATE TABLE citymap.document (
    name text PRIMARY KEY,
    version bigint NOT NULL CHECK (version > 0),
    body text NOT NULL
);

-- Tells tables and indexes apart whose names would be the same.
CREATE SEQUENCE citymap.relation;

-- One writer at a time, import or edit: held to the end of the transaction.
CREATE FUNCTION citymap.lock_writer() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
    IF pg_try_advisory_xact_lock(1667855481, 1) THEN
        RETURN;
    END IF;
    BEGIN
        PERFORM pg_advisory_xact_lock(1667855481, 1);
    EXCEPTION WHEN lock_not_available THEN
        RAISE EXCEPTION 'another import or edit is being written to this city'
            USING ERRCODE = 'lock_not_available', HINT = 'Try again when it has ended.';
    END;
END $$;

-- The revision that this transaction writes, begun if there is none yet.
CREATE FUNCTION citymap.open_revision() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found bigint;
    program text := nullif(current_setting('application_name'), '');
BEGIN
    SELECT number INTO found FROM citymap.revision WHERE open;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    PERFORM citymap.lock_writer();
    BEGIN
        INSERT INTO citymap.revision (number, time, author, message, open, captured)
            SELECT coalesce(max(number), 0) + 1, greatest(clock_timestamp(), max(time)), session_user,
                'edited in the database' || coalesce(' (' || program || ')', ''), true, true
            FROM citymap.revision
            RETURNING number INTO found;
    EXCEPTION WHEN unique_violation THEN
        -- Only where the transaction still sees the city as it was before another writer ended.
        RAISE EXCEPTION 'the city has changed since this transaction began'
            USING ERRCODE = 'serialization_failure', HINT = 'Roll back and begin again.';
    END;
    RETURN found;
END $$;

-- The columns of a layer's table beside the number, as SQL, with `alias` and a comma before each.
CREATE FUNCTION citymap.listed(spatial boolean, columns text[], alias text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg(format(', %s%I', alias, name), '' ORDER BY place), '')
    FROM unnest(CASE WHEN spatial THEN ARRAY['geom'] || columns ELSE columns END) WITH ORDINALITY AS list (name, place)
$$;

-- Whether a revision added this number (and so has no former state of it).
CREATE FUNCTION citymap.was_added(layer text, generation bigint, revision bigint, fid bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT a.last FROM citymap.added a
        WHERE a.layer = $1 AND a.generation = $2 AND a.revision = $3 AND a.first <= $4
        ORDER BY a.first DESC LIMIT 1) >= $4, false)
$$;

-- Notes that a captured revision edits a layer.
CREATE FUNCTION citymap.note(layer text, number bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO citymap.change (revision, position, layer, mode)
    SELECT r.number, (SELECT count(*) FROM citymap.change c WHERE c.revision = r.number), $1, 'edit'
    FROM citymap.revision r
    WHERE r.number = $2 AND r.captured
        AND NOT EXISTS (SELECT FROM citymap.change c WHERE c.revision = $2 AND c.layer = $1)
$$;

-- Adds numbers to what a revision added, as ranges, and moves the highest number on.
CREATE FUNCTION citymap.add_numbers(layer text, generation bigint, number bigint, fids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run record;
BEGIN
    FOR run IN
        SELECT min(fid) AS first, max(fid) AS last
        FROM (SELECT fid, fid - row_number() OVER (ORDER BY fid) AS start FROM unnest(fids) fid) s
        GROUP BY start ORDER BY 1
    LOOP
        UPDATE citymap.added a SET last = run.last
        WHERE a.layer = $1 AND a.generation = $2 AND a.revision = $3 AND a.last = run.first - 1
            AND a.first = (SELECT max(b.first) FROM citymap.added b
                WHERE b.layer = $1 AND b.generation = $2 AND b.revision = $3 AND b.first < run.first);
        IF NOT FOUND THEN
            INSERT INTO citymap.added VALUES ($1, $2, $3, run.first, run.last);
        END IF;
    END LOOP;
    UPDATE citymap.numbering n SET last_fid = greatest(n.last_fid, (SELECT max(fid) FROM unnest(fids) fid))
    WHERE n.layer = $1;
END $$;

-- Before an edit: waits for the writer that is on its way before any row is locked, and gives new features the numbers
-- that follow on the highest one. Before a TRUNCATE: keeps what was.
CREATE FUNCTION citymap.enter() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    highest bigint;
    entry citymap.layer;
    number bigint;
    there boolean;
BEGIN
    PERFORM citymap.lock_writer();
    IF TG_OP = 'INSERT' THEN
        SELECT n.last_fid INTO highest FROM citymap.numbering n WHERE n.layer = TG_TABLE_NAME;
        PERFORM setval(pg_get_serial_sequence(format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME), 'fid'),
            greatest(highest, 1), highest > 0);
    ELSIF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO there;
        IF NOT there THEN
            RETURN NULL;
        END IF;
        SELECT * INTO STRICT entry FROM citymap.layer l WHERE l.id = TG_TABLE_NAME;
        number := citymap.open_revision();
        PERFORM citymap.note(entry.id, number);
        EXECUTE format(
            'INSERT INTO history.%I (revision, fid%s) SELECT $1, o.fid%s FROM %I.%I o '
            'WHERE NOT citymap.was_added($2, $3, $1, o.fid) ON CONFLICT DO NOTHING',
            entry.history, citymap.listed(entry.spatial, entry.columns, ''),
            citymap.listed(entry.spatial, entry.columns, 'o.'), TG_TABLE_SCHEMA, TG_TABLE_NAME)
        USING number, entry.id, entry.generation;
    END IF;
    RETURN NULL;
END $$;

-- The schema that the extension postgis is in, quoted.
CREATE FUNCTION citymap.postgis_schema() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'
$$;

-- After an edit: keeps what was.
CREATE FUNCTION citymap.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry citymap.layer;
    number bigint;
    bad bigint;
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
        -- The text of a geometry has these letters in a number that is not finite, and nowhere else.
        EXECUTE format('SELECT min(fid) FROM latter WHERE %s.st_astext(geom) ~* ''nan|inf''', citymap.postgis_schema())
            INTO bad;
        IF bad IS NOT NULL THEN
            RAISE EXCEPTION 'layer "%", feature %: a coordinate is no finite number', entry.id, bad
                USING ERRCODE = 'check_violation';
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

-- Counts what a revision did to a layer by edits, and forgets what it did and undid.
CREATE FUNCTION citymap.settle(layer text, number bigint, OUT added bigint, OUT changed bigint, OUT removed bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry citymap.layer;
    ranges bigint;
    fids bigint[];
BEGIN
    SELECT l.* INTO STRICT entry FROM citymap.layer l WHERE l.id = $1;
    EXECUTE format('DELETE FROM history.%I h USING city.%I l WHERE h.revision = $1 AND l.fid = h.fid '
        'AND ROW(h.fid%s)::record *= ROW(l.fid%s)::record', entry.history, entry.id,
        citymap.listed(entry.spatial, entry.columns, 'h.'), citymap.listed(entry.spatial, entry.columns, 'l.'))
        USING number;
    EXECUTE format('SELECT count(l.fid), count(*) - count(l.fid) FROM history.%I h LEFT JOIN city.%I l ON l.fid = h.fid '
        'WHERE h.revision = $1', entry.history, entry.id) INTO changed, removed USING number;
    EXECUTE format('SELECT count(*) FROM citymap.added a JOIN city.%I l ON l.fid BETWEEN a.first AND a.last '
        'WHERE a.layer = $1 AND a.generation = $2 AND a.revision = $3', entry.id)
        INTO added USING entry.id, entry.generation, number;
    SELECT coalesce(sum(a.last - a.first + 1), 0) INTO ranges FROM citymap.added a
        WHERE a.layer = entry.id AND a.generation = entry.generation AND a.revision = number;
    IF ranges <> added THEN
        EXECUTE format('SELECT array_agg(l.fid) FROM citymap.added a JOIN city.%I l ON l.fid BETWEEN a.first AND a.last '
            'WHERE a.layer = $1 AND a.generation = $2 AND a.revision = $3', entry.id)
            INTO fids USING entry.id, entry.generation, number;
        DELETE FROM citymap.added a
            WHERE a.layer = entry.id AND a.generation = entry.generation AND a.revision = number;
        IF fids IS NOT NULL THEN
            PERFORM citymap.add_numbers(entry.id, entry.generation, number, fids);
        END IF;
    END IF;
END $$;

-- At the commit of edits straight in tables: counts, and withdraws what came to nothing.
CREATE FUNCTION citymap.complete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
    did record;
BEGIN
    PERFORM FROM citymap.revision r WHERE r.number = NEW.number AND r.open;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    FOR one IN SELECT c.position, c.layer FROM citymap.change c WHERE c.revision = NEW.number ORDER BY c.position LOOP
        SELECT * INTO did FROM citymap.settle(one.layer, NEW.number);
        IF did.added + did.changed + did.removed = 0 THEN
            DELETE FROM citymap.change c WHERE c.revision = NEW.number AND c.position = one.position;
        ELSE
            UPDATE citymap.layer l SET count = l.count + did.added - did.removed, revision = NEW.number
            WHERE l.id = one.layer;
            UPDATE citymap.change c SET added = did.added, changed = did.changed, removed = did.removed,
                count_after = (SELECT l.count FROM citymap.layer l WHERE l.id = one.layer)
            WHERE c.revision = NEW.number AND c.position = one.position;
        END IF;
    END LOOP;
    PERFORM FROM citymap.change c WHERE c.revision = NEW.number;
    IF FOUND THEN
        UPDATE citymap.revision r SET open = false, time = greatest(date_trunc('milliseconds', clock_timestamp()),
            (SELECT b.time FROM citymap.revision b WHERE b.number = NEW.number - 1))
        WHERE r.number = NEW.number;
        PERFORM pg_notify('citymap', NEW.number::text);
    ELSE
        DELETE FROM citymap.revision r WHERE r.number = NEW.number;
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER complete AFTER INSERT ON citymap.revision
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.captured) EXECUTE FUNCTION citymap.complete();

-- Nobody calls these by hand; triggers need no right to be called.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA citymap FROM PUBLIC;
