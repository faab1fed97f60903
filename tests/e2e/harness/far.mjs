// A server whose clients are on hosts of their own, one browser on each, over links that a test shapes: for the cases
// about bandwidth, firewalls, and networks that go away or change. Started when the first of them asks for it, for the
// whole run.
import { Network, SERVER_ADDRESS } from './namespaces.mjs';
import { openFarPage } from './far_page.mjs';
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

  // A page without an SDK on host i.
  openPeer(i, { room, name }) {
    return RawPeer.open(this.browsers[i], this.hosts[i], { room, name, server: this.server });
  }

  // A page with an SDK there; `path` says which.
  openPage(i, path, peer) {
    return openFarPage(this.browsers[i], path, { server: this.server, ...peer });
  }

  // All hosts and links as they were made.
  reset() {
    for (const host of this.hosts) host.reset();
  }

  async close() {
    await Promise.all(this.browsers.map((browser) => browser.close().catch(() => {})));
    await this.server?.stop();
    await this.network.close();
  }
}
