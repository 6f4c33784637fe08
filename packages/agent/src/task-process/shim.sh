#!/bin/sh
# The parent of a task, in place of the agent, which may end and come back. It writes down, in a folder of its own: `shim` and
# `task` (who they are: pid, start time, boot, as @millwright/process/identity reads them) and `exit` (exit code and signal;
# the file's time is the time of the end), each whole or not there. Till the agent has seen that, and somebody has read what
# the FIFOs hold, it keeps them open.
#
#   shim.sh FOLDER STDOUT STDERR MV SLEEP OOM_SCORE COMMAND ARGUMENT...
#
# STDOUT and STDERR are FIFOs; MV and SLEEP programs. The folder's file `keepers` has the files by which the shim leaves the
# agent's cgroup, `joins` those by which the task joins its own, one a line. The environment is the task's, so that a name of
# ours must not be one of its names: hence the prefix. Nothing here may need a PATH.

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

# All of it is read before it is begun: the file may be another one by the time that the task ends.
millwright_main() {
  millwright_folder=$1 millwright_stdout=$2 millwright_stderr=$3 millwright_mv=$4 millwright_sleep=$5 millwright_oom=$6
  shift 6

  # What the shell itself has to say goes here: it tells a task that was ended by a signal from one that ended with that code.
  exec 2>"$millwright_folder/notes"
  # With a handler, and not ignored: the task is to have the default.
  trap : HUP INT QUIT TERM USR1 USR2
  exec 3<>"$millwright_stdout" 4<>"$millwright_stderr"

  while read -r millwright_file; do
    echo 0 >"$millwright_file"
  done <"$millwright_folder/keepers"
  millwright_identify shim
  : >"$millwright_folder/notes"

  # In the foreground, though nothing else is to be done meanwhile: a shell has its background jobs ignore SIGINT.
  (
    trap - HUP INT QUIT TERM USR1 USR2
    exec 2>"$millwright_folder/fault"
    while read -r millwright_file; do
      echo 0 >"$millwright_file" || exit 126
    done <"$millwright_folder/joins"
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
  until millwright_record exit "$millwright_code $millwright_signal" || [ ! -d "$millwright_folder" ]; do
    "$millwright_sleep" 1
  done

  # The agent ends this process as soon as nothing needs it. One that never comes back, or that was removed with its folder, is
  # not waited for without end.
  millwright_waits=360
  while [ -e "$millwright_folder/exit" ] && [ "$millwright_waits" -gt 0 ]; do
    "$millwright_sleep" 10
    millwright_waits=$((millwright_waits - 1))
  done
}

millwright_main "$@"
exit
