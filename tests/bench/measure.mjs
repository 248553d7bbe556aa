// What is measured with: CPU time from /proc, memory from smaps_rollup and slabinfo, load from wrk.
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { OTHER_CORE } from './contenders.mjs';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** User and system time of all threads of the processes, in seconds. */
export function cpu(pids) {
  let ticks = 0;
  for (const pid of pids) {
    // Behind the last parenthesis: a process may have any name (proc(5)).
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS;
}

/** The same for each of a process's threads, by name. */
export function threads(pid) {
  const byName = {};
  for (const id of fs.readdirSync(`/proc/${pid}/task`)) {
    const name = fs.readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim();
    byName[name] = (byName[name] ?? 0) + cpu([`${pid}/task/${id}`]);
  }
  return byName;
}

/** Bytes that would be free if the process were gone. */
export function memory(pid) {
  const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(rollup.match(/^Pss:\s+(\d+)/m)[1]) * 1024;
}

/** Bytes of the kernel's own objects: sockets, files, buffers. */
export function kernelMemory() {
  const info = fs.readFileSync('/proc/meminfo', 'utf8');
  return ['SUnreclaim', 'KernelStack', 'PageTables'].reduce((sum, name) => sum + Number(info.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]) * 1024, 0);
}

/** Runs wrk and gives { calls, failed, seconds, p50, p99 } (times in milliseconds). */
export function wrk(script, { url, connections, seconds, token = '', environment = {} }) {
  const args = ['--cpu-list', OTHER_CORE, 'wrk', '--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`, '--script', script, url];
  return new Promise((done, failed) => {
    execFile('taskset', args, { env: { ...process.env, TOKEN: token, ...environment } }, (error, stdout, stderr) => {
      const line = stdout.split('\n').find((l) => l.startsWith('RESULT '));
      if (error || !line) failed(new Error(`wrk: ${stderr || stdout}`));
      else done(JSON.parse(line.slice(7)));
    });
  });
}

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};

export const percentile = (numbers, p) => [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * p))];
