/** What the doors for whoever runs the server answer. */

export interface AccountRow {
  readonly name: string;
  readonly pod: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** When somebody last was signed in to it; null where nobody is. */
  readonly seen: number | null;
  readonly sessions: number;
  readonly state: "open" | "frozen" | "moved" | "erased";
  readonly bytes: number;
  readonly resources: number;
  readonly quota: { readonly bytes: number; readonly resources: number };
  readonly hasOwnQuota: boolean;
  readonly isOperator: boolean;
  readonly isYou: boolean;
}

export interface Accounts {
  readonly accounts: readonly AccountRow[];
  readonly total: number;
  readonly next: number | null;
  readonly standard: { readonly bytes: number; readonly resources: number };
}

export interface Invitation {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly expires: number;
}

export interface Job {
  readonly id: string;
  readonly what: string;
  readonly by: string;
  readonly began: number;
  readonly ended: number | null;
  readonly state: "running" | "done" | "found" | "failed";
  readonly progress: {
    readonly stage: string;
    readonly done: number;
    readonly total: number | null;
    readonly unit: "bytes" | "items";
  } | null;
  readonly why: string | null;
}

export interface BackupRow {
  readonly name: string;
  readonly what: string;
  readonly time: number;
  readonly bytes: number;
  readonly proved: number | null;
}

export interface Backups {
  readonly isSet: boolean;
  /** Milliseconds; 0: never by itself. */
  readonly everyMs: number;
  readonly proveEveryMs: number;
  readonly keep: { readonly days: number; readonly weeks: number; readonly months: number };
  readonly next: number | null;
  readonly failed: number | null;
  readonly why: string | null;
  readonly backups: readonly BackupRow[];
}

export interface LogLine {
  readonly at: number;
  readonly level: "info" | "warn" | "error";
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export interface Minute {
  readonly at: number;
  readonly requests: number;
  readonly failed: number;
  readonly slowestMs: number;
  readonly pauseMs: number;
  readonly memoryBytes: number;
}

export interface Health {
  readonly version: string;
  readonly since: number;
  readonly isReady: boolean;
  readonly store: "sqlite" | "postgres";
  readonly disk: { readonly free: number; readonly total: number };
  readonly memory: { readonly used: number; readonly free: number; readonly total: number };
  readonly minutes: readonly Minute[];
}

export interface Finding {
  readonly about: string;
  readonly state: "ok" | "note" | "wrong";
  readonly code: string;
  readonly what: string;
  readonly next: string | null;
}

export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly report: string;
}
