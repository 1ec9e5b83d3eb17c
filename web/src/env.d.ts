/** Modules that the build makes. */
declare module 'virtual:map-worker' {
  /** The address of the map's worker. */
  const url: string;
  export default url;
}
