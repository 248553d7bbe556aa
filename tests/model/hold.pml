/* The life of a hold, over two replicas that may be killed at every step, for spin. What these names stand for has the same
 * name in the code:
 *
 *   step(), may_follow, closed_as, tried_again, too_late    workflows/hold_step.cpp
 *   claim, begin, release_one, record, settle_left_over     gateway/release/releaser.cpp
 *   would_be, left_over                                     gateway/release/flights.hpp
 *   wake_due, settle_abandoned                              gateway/release/clockwork.cpp
 *   void_all_of, apply                                      gateway/release/hold_moves.cpp
 *   why_void                                                gateway/release/recheck.cpp
 *   claimed_by, maybe_sent, advance                         storage/hold_store.cpp
 *
 * Two are the model's own. lives(r) is what claim_holds and lock_abandoned_holds ask of a claimer's heartbeat. `current` says
 * that the row still has a flight's claim::version: versions only grow, so that nothing else of them counts.
 *
 * An `atomic` is a transaction under the row's lock, or what one coroutine does between two waits. Its commit may be lost in
 * answer (`troubles`): it happened, and who asked for it does not know. One that was rolled back changed nothing, and is not here.
 *
 * Left out: escalation, but that a step which waited for its hours may reach nobody; the time between two attempts; that several
 * holds are claimed together; `granted`, after which a hold is as one that those who signed the grant have approved, and revoking,
 * which voids it as suspending does.
 *
 * Each of the mutations below (-DNAME) breaks one thing that the code relies on; hold_test.mjs sees to it that spin finds out. */

#define REPLICAS 2
#ifndef SLOTS
#define SLOTS 2  /* flights of one replica: the one that counts, and one that others have settled meanwhile */
#endif
#define NOBODY 2
#define GONE 3   /* a replica's id after its process: it is never given again */
#define PEOPLE 2 /* both must approve */

/* How often something fails in one run: a process is killed, a commit's answer is lost, a heartbeat is late, an outcome cannot
 * be written. Any of them, in any order. */
#ifndef TROUBLES
#define TROUBLES 2
#endif

mtype = { held, approved, releasing, released, denied, expired, withdrawn, undeliverable, void_, unknown } /* hold_status */
mtype = { sent_nothing, answered, lost }            /* happened:: what ends a release */
mtype = { none, begun, sending, writing, left_over } /* where a flight is */

/* --- the row ---------------------------------------------------------------------------------------------------------- */

mtype status = held;
byte claimed_by = NOBODY;
bool maybe_sent;
bool decided[PEOPLE]; /* for it: one denial closes */
bool glass;           /* the second of them approved it alone */

/* What the database's clock has passed. */
bool expires_at_passed, release_by_passed;

/* --- the directory and the route -------------------------------------------------------------------------------------- */

bool agent_active = true;
bool person_active[PEOPLE] = true;
bool idempotent;

/* --- replicas --------------------------------------------------------------------------------------------------------- */

bool up[REPLICAS] = true;
bool heard[REPLICAS] = true; /* its heartbeat, as the database has it */
#define lives(r) (r < NOBODY && heard[r % REPLICAS])

typedef known { bool read, agent_active, person_active[PEOPLE] } /* the standing that a claim is judged under */
known standing[REPLICAS];

typedef flight { mtype phase = none; mtype would_be; bool current, in_force }
flight flights[REPLICAS * SLOTS];

/* --- what happened outside, for the properties ------------------------------------------------------------------------ */

byte sends;   /* how often a byte of it went to the upstream; more than two are two */
bool cut_off; /* its claimer was killed, and the upstream is not idempotent */
byte troubles = TROUBLES;

/* What people will do if they come to it; nothing, where it is false. */
bool withdraws, suspends, disables, decides[PEOPLE], takes_back, breaks_glass;
bool in_vain; /* its steps will reach nobody, once they begin */

#define closed (status != held && status != approved && status != releasing)
#define may_follow(from, to) \
  ((from == held && (to == approved || to == denied || to == expired || to == withdrawn || to == undeliverable || to == void_)) || \
   (from == approved && (to == releasing || to == withdrawn || to == void_ || to == unknown)) || \
   (from == releasing && (to == released || to == unknown || to == approved || to == void_)))
#define all_satisfied (glass || (decided[0] && decided[1]))
/* At release only those count who are still active. */
#define in_force_now (agent_active && all_satisfied && person_active[0] && person_active[1])

inline forget_standing(r)
{
  standing[r].read = false; standing[r].agent_active = false;
  standing[r].person_active[0] = false; standing[r].person_active[1] = false
}

/* --- the state machine ------------------------------------------------------------------------------------------------ */

inline advance(to)
{
  assert(may_follow(status, to));
  if
  :: status == held -> expires_at_passed = false; decides[0] = false; decides[1] = false; takes_back = false; breaks_glass = false; in_vain = false
  :: else
  fi;
  status = to;
  if
  :: to != releasing -> claimed_by = NOBODY
  :: else
  fi;
  flights[0].current = false; flights[1].current = false;
#if SLOTS > 1
  flights[2].current = false; flights[3].current = false
#endif
}

inline closed_as(end)
{
  /* What may have been sent ends released or unknown, and no other way. */
  assert(!maybe_sent || end == released || end == unknown);
  assert(sends == 0 || end == released || end == unknown);
  assert(end != released || sends > 0);
  /* A claim without an outcome after a crash is unknown. */
  assert(!cut_off || end == unknown);
  advance(end);
  /* From here on nothing of this matters: what is alike is one state. */
  withdraws = false; suspends = false; disables = false; release_by_passed = false; maybe_sent = false; cut_off = false;
  decided[0] = false; decided[1] = false; glass = false; agent_active = true; person_active[0] = true; person_active[1] = true;
  forget_standing(0); forget_standing(1)
}

inline too_late()
{
  if
  :: maybe_sent -> closed_as(unknown)
  :: else -> closed_as(void_)
  fi
}

inline voided()
{
  if
  :: maybe_sent -> closed_as(unknown)
  :: else -> closed_as(void_)
  fi
}

inline tried_again() { advance(approved) }

inline apply(what) /* to one that is releasing */
{
  if
  :: what == sent_nothing && release_by_passed -> too_late()
  :: what == sent_nothing && !release_by_passed -> tried_again()
  :: what == answered -> closed_as(released)
  :: what == lost ->
     maybe_sent = true;
     if
     :: idempotent && !release_by_passed -> tried_again()
     :: else -> closed_as(unknown)
     fi
  fi
}

/* --- the releaser ----------------------------------------------------------------------------------------------------- */

#ifdef CLAIM_WITHOUT_STATUS_CHECK
#define claimable(r) (!closed && claimed_by != r)
#else
#define claimable(r) (status == approved)
#endif

inline begin(r)
{
  if
  :: flights[r * SLOTS].phase == none -> slot = r * SLOTS
  :: else -> slot = r * SLOTS + SLOTS - 1
  fi;
  flights[slot].phase = begun;
  flights[slot].current = true
}

inline claim(r)
{
  if
#ifndef STANDING_FROM_MEMORY
  :: standing[r].agent_active != agent_active || standing[r].person_active[0] != person_active[0] ||
     standing[r].person_active[1] != person_active[1] -> skip /* conflict: the directory was changed at the same moment */
#endif
  :: else ->
     if
     :: release_by_passed -> too_late()
     :: !release_by_passed && !(standing[r].agent_active && standing[r].person_active[0] && standing[r].person_active[1]) ->
        voided() /* why_void */
     :: else ->
#ifdef CLAIM_WITHOUT_STATUS_CHECK
        status = approved;
#else
        assert(all_satisfied);
#endif
        advance(releasing);
        claimed_by = r;
        if
        :: begin(r); flights[slot].in_force = in_force_now
        :: troubles > 0 -> troubles-- /* nobody begins what nobody knows of */
        fi
     fi
  fi;
  forget_standing(r);
  slot = 0
}

inline gone(f) { flights[f].phase = none; flights[f].current = false; flights[f].would_be = 0; flights[f].in_force = false }

inline send(f)
{
#ifndef SEND_BEFORE_CLAIM
  assert(flights[f].in_force);
#endif
  /* At most once, where the upstream is not idempotent. */
  assert(sends == 0 || idempotent);
  sends = (sends < 2 -> sends + 1 : 2);
  flights[f].in_force = false
}

inline release_one(f)
{
  flights[f].would_be = lost;
  if
  :: flights[f].would_be = sent_nothing; flights[f].phase = writing
#ifdef SEND_BEFORE_CLAIM
  :: flights[f].phase = sending
#else
  :: send(f); flights[f].phase = sending
#endif
  fi
}

inline record(f)
{
  if
  :: !flights[f].current -> gone(f) /* an attempt whose answer was lost, or others have settled it */
  :: flights[f].current && troubles > 0 -> troubles--; apply(flights[f].would_be)
  :: flights[f].current && troubles > 0 -> troubles--; flights[f].phase = left_over
  :: flights[f].current -> apply(flights[f].would_be); gone(f)
  fi
}

#define running(f) (flights[f].current && (flights[f].phase == begun || flights[f].phase == sending || flights[f].phase == writing))

inline settle_left_over(r)
{
  if
#ifndef FLIGHTS_FORGET
  :: flights[r * SLOTS].current && flights[r * SLOTS].phase == left_over -> apply(flights[r * SLOTS].would_be); gone(r * SLOTS)
#endif
#if !defined(FLIGHTS_FORGET) && SLOTS > 1
  :: flights[r * SLOTS + 1].current && flights[r * SLOTS + 1].phase == left_over ->
     apply(flights[r * SLOTS + 1].would_be); gone(r * SLOTS + 1)
#endif
  :: else -> apply(sent_nothing) /* the gateway did not see its claim */
  fi
}

/* --- the clockwork ---------------------------------------------------------------------------------------------------- */

inline settle_abandoned()
{
#ifdef ABANDONED_GOES_BACK
  cut_off = false;
  apply(sent_nothing)
#else
  apply(lost)
#endif
}

#define free(r) (flights[r * SLOTS].phase == none || flights[r * SLOTS + SLOTS - 1].phase == none)

/* releaser::release_one and write_outcome of one flight. */
inline flying(f)
{
  if
  :: flights[f].phase == begun -> release_one(f)
  :: flights[f].phase == sending ->
     if
     :: flights[f].would_be = answered
     :: skip /* lost */
     fi;
     flights[f].phase = writing
  :: flights[f].phase == writing -> record(f)
  :: flights[f].phase == left_over -> gone(f) /* settled by somebody else */
  fi
}

#define flies(f) (flights[f].phase != none && !(flights[f].phase == left_over && flights[f].current))

proctype replica(byte r)
{
  byte slot;
end:
  do
  /* clockwork::wake_due */
  :: atomic { up[r] && status == held && expires_at_passed -> closed_as(expired) }
  :: atomic { up[r] && status == approved && release_by_passed -> too_late() }
  /* clockwork::settle_abandoned */
  :: atomic { up[r] && status == releasing && claimed_by != r && !lives(claimed_by) -> settle_abandoned() }
  /* releaser::claim: standing_in, before any hold is locked; then the rest of the transaction */
  :: atomic {
       up[r] && claimable(r) && free(r) && !standing[r].read ->
       standing[r].read = true;
       standing[r].agent_active = agent_active;
       standing[r].person_active[0] = person_active[0];
       standing[r].person_active[1] = person_active[1];
#ifdef SEND_BEFORE_CLAIM
       send(0)
#endif
     }
  :: atomic { up[r] && claimable(r) && free(r) && standing[r].read -> claim(r) }
  :: atomic { up[r] && !claimable(r) && standing[r].read -> forget_standing(r) }
  /* releaser::settle */
#ifndef NOBODY_SETTLES
  :: atomic { up[r] && status == releasing && claimed_by == r && !running(r * SLOTS) && !running(r * SLOTS + SLOTS - 1) -> settle_left_over(r) }
#endif
  /* what it sends: coroutines of their own */
  :: atomic { flies(r * SLOTS) -> flying(r * SLOTS) }
#if SLOTS > 1
  :: atomic { flies(r * SLOTS + 1) -> flying(r * SLOTS + 1) }
#endif
  od
}

/* --- the world -------------------------------------------------------------------------------------------------------- */

inline decide(p)
{
  if
  :: decided[p] = true;
     if
     :: all_satisfied -> advance(approved)
     :: else
     fi
  :: closed_as(denied)
  fi
}

inline kill(r)
{
  up[r] = false;
  forget_standing(r);
  gone(r * SLOTS);
  gone(r * SLOTS + SLOTS - 1);
  if
  :: status == releasing && claimed_by == r && !idempotent -> cut_off = true
  :: else
  fi
}

inline start(r) /* under another id; the old one is ended (replica_store::start) */
{
  if
  :: claimed_by == r -> claimed_by = GONE
  :: else
  fi;
  up[r] = true;
  heard[r] = true
}

#define may_decide(p) (status == held && !expires_at_passed && person_active[p] && decides[p] && !decided[p])

/* One process: all but time comes to an end by itself, so that under fairness time goes on. */
proctype world()
{
end:
  do
  /* the agent */
  :: atomic { withdraws && (status == held || status == approved) -> withdraws = false;
       if
       :: !maybe_sent -> closed_as(withdrawn)
       :: else
       fi
     }
  /* approvers */
  :: atomic { may_decide(0) -> decide(0) }
  :: atomic { may_decide(1) -> decide(1) }
  /* whoever has decided must take that back first; never after a denial, which closes */
  :: atomic { status == held && !expires_at_passed && person_active[1] && breaks_glass && !decided[1] ->
       breaks_glass = false; decided[1] = true; glass = true; advance(approved) }
  /* a step that waited for its hours begins, reaches nobody, and is the last */
  :: atomic { status == held && !expires_at_passed && in_vain -> closed_as(undeliverable) }
  :: atomic { status == held && !expires_at_passed && takes_back && decided[0] -> takes_back = false; decided[0] = false }
  /* the administrator: void_all_of, in the transaction that suspends; what is being released is left alone */
  :: atomic { suspends && !closed -> suspends = false; agent_active = false;
       if
       :: status == held || status == approved -> voided()
       :: else
       fi
     }
  :: atomic { disables && !closed -> disables = false; person_active[1] = false }
  /* the clock */
  :: atomic { status == held && !expires_at_passed -> expires_at_passed = true }
  :: atomic { (status == approved || status == releasing) && !release_by_passed -> release_by_passed = true }
  /* trouble */
  :: atomic { !closed && troubles > 0 && up[0] -> troubles--; kill(0) }
  :: atomic { !closed && troubles > 0 && up[1] -> troubles--; kill(1) }
  /* a heartbeat is late: it is taken for dead, while it works on */
  :: atomic { status == releasing && troubles > 0 && up[0] && heard[0] -> troubles--; heard[0] = false }
  :: atomic { status == releasing && troubles > 0 && up[1] && heard[1] -> troubles--; heard[1] = false }
  :: atomic { !closed && !up[0] && heard[0] -> heard[0] = false } /* ten seconds without a heartbeat */
  :: atomic { !closed && !up[1] && heard[1] -> heard[1] = false }
  :: atomic { !closed && up[0] && !heard[0] -> heard[0] = true }
  :: atomic { !closed && up[1] && !heard[1] -> heard[1] = true }
  :: atomic { !closed && !up[0] -> start(0) }
  :: atomic { !closed && !up[1] -> start(1) }
  od
}

inline may(what)
{
  if
  :: what = true
  :: what = false
  fi
}

init
{
  atomic {
    may(idempotent); may(withdraws); may(suspends); may(disables); may(decides[0]); may(decides[1]); may(takes_back);
    /* Whoever does the one has no need of the other, and whoever waits in vain is asked by nobody: fewer runs to look at. */
    if
    :: !decides[1] -> may(breaks_glass)
    :: else
    fi;
    if
    :: !decides[0] && !decides[1] && !breaks_glass -> may(in_vain)
    :: else
    fi;
    if
    :: skip
    :: closed_as(undeliverable) /* opened, and nobody was reached */
    fi;
    run replica(0); run replica(1); run world()
  }
}

/* Under weak fairness; there is only so much trouble, so that it stops. */
ltl ends { <> closed }
