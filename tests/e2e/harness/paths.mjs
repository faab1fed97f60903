// Where things lie, seen from this folder.
export const repository = new URL('../../../', import.meta.url);
export const outFolder = new URL('tests/e2e/out/', repository);
export const serverProgram = process.env.ATM0S_SERVER
  ? new URL('file://' + process.env.ATM0S_SERVER)
  : new URL('build/release/bin/atm0s-server', repository);
export const pageFolder = new URL('tests/e2e/page/', repository);
export const sdkFile = new URL('node_modules/@8xff/atm0s-media-js/dist/index.umd.min.js', repository);
export const ownSdkFile = new URL('sdk/js/dist/atm0s.umd.js', repository);
export const ignoringSdkFile = new URL('sdk/js/dist/ignoring.umd.js', repository);
