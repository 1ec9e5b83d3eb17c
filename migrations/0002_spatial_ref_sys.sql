-- VN-2000's TM-3 zones of 2007 and later (EPSG:9205–9218), which PostGIS 3.3 lacks.
--
-- auth_name is NULL on purpose: PostGIS hands a row with an authority to PROJ by its code, and PROJ then takes a datum shift
-- of its own choice (0.80 m off around Ho Chi Minh City). Without one it takes proj4text, whose +towgs84 is the legal shift of
-- Decision 05/2007/QĐ-BTNMT (EPSG:6960) with the three rotations' signs changed, since +towgs84 means position vectors.
-- Rows that are there are left as they are. Where this user may not write the table, the city works without its VN-2000 views, and
-- `citymap doctor` says so.
DO $$
DECLARE
    home text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'postgis');
BEGIN
    EXECUTE format($sql$
        INSERT INTO %s.spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text)
        SELECT srid, NULL, NULL,
            format('PROJCS["VN-2000 / TM-3 %%s",GEOGCS["VN-2000",DATUM["Vietnam_2000",SPHEROID["WGS 84",6378137,298.257223563],'
                'TOWGS84[-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278]],'
                'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
                'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",%%s],PARAMETER["scale_factor",0.9999],'
                'PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AXIS["Northing",NORTH],'
                'AXIS["Easting",EAST]]', name, meridian),
            format('+proj=tmerc +lat_0=0 +lon_0=%%s +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 '
                '+towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278 '
                '+units=m +no_defs +type=crs', meridian)
        FROM (VALUES
            (9205, '103-00', '103'), (9206, '104-00', '104'), (9207, '104-30', '104.5'), (9208, '104-45', '104.75'),
            (9209, '105-30', '105.5'), (9210, '105-45', '105.75'), (9211, '106-00', '106'), (9212, '106-15', '106.25'),
            (9213, '106-30', '106.5'), (9214, '107-00', '107'), (9215, '107-15', '107.25'), (9216, '107-30', '107.5'),
            (9217, '108-15', '108.25'), (9218, '108-30', '108.5')) zone (srid, name, meridian)
        ON CONFLICT (srid) DO NOTHING
    $sql$, home);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'spatial_ref_sys may not be written to by this user: VN-2000 zones 9205-9218 stay missing';
END $$;
