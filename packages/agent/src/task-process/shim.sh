#!/bin/sh
# The parent of a task, in place of the agent, which may end and come back. It writes down, in a folder of its own: `shim` and
# `task` (who they are: pid, start time, boot, as @millwright/process/identity reads them) and `exit` (exit code and signal;
# the file's time is the time of the end), each whole or not there. Till the agent has seen that, and somebody has read what
# the FIFOs hold, it keeps them open.
#
#   shim.sh FOLDER STDOUT STDERR MV SLEEP OOM_SCORE KEEPERS N JOIN... COMMAND ARGUMENT...
#
# STDOUT and STDERR are FIFOs; MV and SLEEP programs; KEEPERS the files by which it leaves the agent's cgroup, a colon
# behind each; N the number of files by which the task joins its own. The environment is the task's, so that a name of ours
# must not be one of its names: hence the prefix. Nothing here may need a PATH.

millwright_folder=$1 millwright_stdout=$2 millwright_stderr=$3 millwright_mv=$4 millwright_sleep=$5
millwright_oom=$6 millwright_keepers=$7 millwright_joins=$8
shift 8

# What the shell itself has to say goes here: it tells a task that was ended by a signal from one that ended with that code.
exec 2>"$millwright_folder/notes"
# With a handler, and not ignored: the task is to have the default.
trap : HUP INT QUIT TERM USR1 USR2
exec 3<>"$millwright_stdout" 4<>"$millwright_stderr"

millwright_record() {
  printf '%s\n' "$2" >"$millwright_folder/$1.new" || return 1
  LD_PRELOAD='' LD_LIBRARY_PATH='' "$millwright_mv" -f "$millwright_folder/$1.new" "$millwright_folder/$1"
}

# Records the process that calls it. A program's name may hold spaces and parentheses: the fields are counted behind it.
millwright_identify() {
  read -r millwright_stat </proc/self/stat
  read -r millwright_boot </proc/sys/kernel/random/boot_id
  millwright_name=$1
  set -f
  set -- ${millwright_stat##*) }
  millwright_record "$millwright_name" "${millwright_stat%% *} ${20} $millwright_boot"
}

while [ -n "$millwright_keepers" ]; do
  echo 0 >"${millwright_keepers%%:*}"
  millwright_keepers=${millwright_keepers#*:}
done
millwright_identify shim
: >"$millwright_folder/notes"

# In the foreground, though nothing else is to be done meanwhile: a shell has its background jobs ignore SIGINT.
(
  trap - HUP INT QUIT TERM USR1 USR2
  exec 2>"$millwright_folder/fault"
  while [ "$millwright_joins" -gt 0 ]; do
    echo 0 >"$1" || exit 126
    millwright_joins=$((millwright_joins - 1))
    shift
  done
  [ -z "$millwright_oom" ] || echo "$millwright_oom" >/proc/self/oom_score_adj
  millwright_identify task || exit 126
  exec "$@" </dev/null >"$millwright_stdout" 2>"$millwright_stderr" 3>&- 4>&-
)
millwright_code=$?

# 128 and a number may be a signal or an exit code. Of each signal but SIGINT and SIGPIPE the shell writes a line.
millwright_signal=0
case $millwright_code in
  130 | 141) millwright_signal=$((millwright_code - 128)) ;;
  *) [ "$millwright_code" -gt 128 ] && [ -s "$millwright_folder/notes" ] && millwright_signal=$((millwright_code - 128)) ;;
esac
# On a full disk it waits for space.
until millwright_record exit "$millwright_code $millwright_signal"; do
  "$millwright_sleep" 1
done

# The agent ends this process as soon as nothing needs it. One that never comes back is not waited for without end.
exec "$millwright_sleep" 3600
