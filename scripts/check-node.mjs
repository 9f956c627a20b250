// Tests, demo and emulator run on the Node that GitHub's runners use for this action (`runs.using: node24`), whatever the host
// has: npm puts `node_modules/.bin` first on PATH, and the optional packages `node-<os>-<cpu>` hold that Node. Where a platform
// has no such package, the host's own Node has to be new enough (the TypeScript sources run as they are: type stripping).
const [major] = process.versions.node.split('.').map(Number);
if (major < 24) {
  console.error(
    `Node 24 or later is needed here, this is ${process.version}. "npm ci" installs one on Linux and Windows (x64, arm64); elsewhere install it yourself.`,
  );
  process.exit(1);
}
