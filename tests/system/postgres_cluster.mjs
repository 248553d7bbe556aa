// A PostgreSQL for tests, in a directory of their own: no TCP, nobody but us, gone with this process.
import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { until } from './gateway.mjs';

/** Debian's directory of the newest PostgreSQL's programs. */
export function postgresPrograms() {
  const root = '/usr/lib/postgresql';
  const versions = fs.existsSync(root) ? fs.readdirSync(root).map(Number).filter(Boolean) : [];
  if (versions.length === 0) throw new Error('PostgreSQL is not installed');
  return path.join(root, String(Math.max(...versions)), 'bin');
}

/** Whom PostgreSQL runs as when we are root, whom it refuses: the prefix of its commands. */
function asOther() {
  // The signal: when we are killed, it is too.
  if (process.getuid() !== 0) return ['setpriv', '--pdeathsig', 'KILL'];
  const user = fs.readFileSync('/etc/passwd', 'utf8').includes('\npostgres:') ? 'postgres' : 'nobody';
  const id = (what) => execFileSync('id', [what, user], { encoding: 'utf8' }).trim();
  return ['setpriv', `--reuid=${id('-u')}`, `--regid=${id('-g')}`, '--clear-groups', '--pdeathsig', 'KILL'];
}

export class PostgresCluster {
  /** Makes and starts one under `base`, which its user can pass through. */
  static async start(base) {
    const cluster = new PostgresCluster();
    const programs = postgresPrograms();
    const prefix = asOther();
    cluster.sockets = path.join(base, 'postgres');
    cluster.psql = path.join(programs, 'psql');
    fs.mkdirSync(cluster.sockets, { mode: 0o700 });
    const uid = prefix.find((p) => p.startsWith('--reuid='));
    if (uid) fs.chownSync(cluster.sockets, Number(uid.split('=')[1]), Number(prefix[2].split('=')[1]));
    const data = path.join(cluster.sockets, 'data');
    const [command, ...rest] = prefix;
    execFileSync(command, [...rest, path.join(programs, 'initdb'), '--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    // Only programs are killed here, never the machine: what the kernel has is as good as what the disk has.
    const settings = ['listen_addresses=', `unix_socket_directories=${cluster.sockets}`, 'fsync=off', 'max_connections=100', 'log_min_messages=panic'].flatMap((s) => ['-c', s]);
    cluster.process = spawn(command, [...rest, path.join(programs, 'postgres'), '-D', data, ...settings], { cwd: '/', stdio: 'ignore' });
    cluster.ended = new Promise((end) => cluster.process.on('exit', end));
    await until('PostgreSQL answers', () => cluster.sql('SELECT 1').then(() => true, () => false));
    return cluster;
  }

  get socket() {
    return path.join(this.sockets, '.s.PGSQL.5432');
  }

  /** Statements, each in a transaction of its own; gives the lines of the answer. */
  sql(...statements) {
    const args = ['--host', this.sockets, '--username', 'postgres', '--no-psqlrc', '--quiet', '--tuples-only', '--no-align', ...statements.flatMap((s) => ['--command', s])];
    return new Promise((done, failed) => {
      execFile(this.psql, [...args, 'postgres'], (error, stdout, stderr) => (error ? failed(new Error(stderr.trim())) : done(stdout.trim())));
    });
  }

  async stop() {
    this.process.kill('SIGQUIT');
    await this.ended;
  }
}
