// A server whose clients are on hosts of their own, one browser on each, over links that a test shapes: for the cases
// about bandwidth. Started when the first of them asks for it, for the whole run.
import { Network, SERVER_ADDRESS } from './namespaces.mjs';
import { RawPeer, openBrowser } from './raw_peer.mjs';
import { startServer } from './server.mjs';

const HOSTS = 3; // a publisher and two viewers
const PORTS = [20000, 20001]; // of the server's two workers, as startServer has them in a namespace

export class FarWorld {
  static async open() {
    const world = new FarWorld();
    world.browsers = [];
    world.network = await Network.open(PORTS);
    try {
      for (let i = 0; i < HOSTS; ++i) await world.network.addHost();
      world.hosts = world.network.hosts;
      world.server = await startServer({ address: SERVER_ADDRESS, through: world.network.front });
      world.browsers = await Promise.all(world.hosts.map(openBrowser));
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  // A page on host i.
  openPeer(i, { room, name }) {
    return RawPeer.open(this.browsers[i], this.hosts[i], { room, name, server: this.server });
  }

  // All links as they were made.
  reset() {
    for (const host of this.hosts) {
      host.shape();
      host.cap();
    }
  }

  async close() {
    await Promise.all(this.browsers.map((browser) => browser.close().catch(() => {})));
    await this.server?.stop();
    await this.network.close();
  }
}
