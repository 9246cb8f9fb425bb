// Runs checks one after the other, and says of each which interaction it shows: "ok CLIENT INTERACTION".
import assert from 'node:assert/strict';

export class Ticks {
  constructor(client) {
    this.client = client;
    this.faults = 0;
  }

  // Some interactions, separated by blanks, that the check shows.
  async show(interactions, check) {
    try {
      const value = await check();
      for (const interaction of interactions.split(' ')) console.log(`ok ${this.client} ${interaction}`);
      return value;
    } catch (error) {
      this.faults += 1;
      const told = error.response?.data ?? error.body ?? '';
      const detail = typeof told === 'string' ? told : JSON.stringify(told);
      console.log(`FAULT ${this.client} ${interactions}: ${error.stack} ${detail}`);
      return undefined;
    }
  }

  end() {
    process.exitCode = this.faults === 0 ? 0 : 1;
  }
}

// The status of a call that is refused; refusing less is a fault.
export async function refused(status, call) {
  try {
    await call();
  } catch (error) {
    assert.equal(error.response?.status ?? error.status ?? error.statusCode, status, String(error));
    return error.response?.data ?? error.body;
  }
  assert.fail(`this should have been refused with ${status}`);
}
