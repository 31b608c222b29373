#!/usr/bin/env bash
# Lists, as linker options, what the engine's program must hold although nothing in it refers to it:
# everything in the archives of Kelvin's runtime, and the public names of the C and C++ libraries,
# which are those that the shared libraries export.
#   keep_symbols.sh NM COMPILER OUTPUT KELVIN_ARCHIVE...
set -euo pipefail
export LC_ALL=C
nm=$1 compiler=$2 output=$3
shift 3

# These need shared libraries at run time (name service, character sets), which a static program
# does not have.
without='^(dl[a-z]*|_dl_.*|getaddrinfo|freeaddrinfo|getnameinfo|gethost.*|getnet.*|getproto.*|getserv.*|getrpc.*|(get|set|end|fget|put)(pw|gr|sp|sg|alias|netgr|rpc|ether|util).*|inn?etgr.*|initgroups|getgrouplist|res_.*|__res_.*|__nss.*|nss_.*|ether_.*|rcmd.*|rexec.*|ruserok.*|iruserok.*|key_.*|xdr.*|svc.*|clnt.*|auth.*|_authenticate|pmap.*|rpc.*|__rpc.*|_rpc.*|getpublickey|getsecretkey|callrpc|registerrpc|authdes.*|fcvt_r_fail|_null_auth|wordexp.*|iconv.*|__libc_.*|ns_.*|inet6_.*|host2netname|netname2.*|user2netname|passwd2des|xencrypt|xdecrypt|cbc_crypt|ecb_crypt|des_setparity|rtime|bindresvport|gai_.*|getdate.*|mcount|_mcount|__fentry__|monstartup|gmon.*|profil|sprofil|__profile_frequency|bdflush|create_module|get_kernel_syms|query_module|nfsservctl|_nss.*|innetgr|setutent|step|advance|loc1|loc2|locs|re_comp|re_exec|_obstack.*|obstack.*)$'

defined() {
  "$nm" --defined-only --extern-only --format=posix "$@" 2>/dev/null |
    awk '$2 ~ /^[A-Zuiv]$/ && $2 != "N" { print $1 }' | sort -u
}
public() {
  "$nm" --dynamic --defined-only --format=posix "$("$compiler" -print-file-name="$1")" |
    awk '{ sub(/@.*/, "", $1); print $1 }' | sort -u
}
archive() {
  "$compiler" -print-file-name="$1"
}

{
  defined "$@"
  for pair in libc.a:libc.so.6 libstdc++.a:libstdc++.so.6; do
    comm -12 <(defined "$(archive "${pair%%:*}")") <(public "${pair##*:}") | grep -vE "$without"
  done
  # libm.a is a linker script that names the archives.
  comm -12 <(defined $(grep -o '/[^ ]*\.a' "$(archive libm.a)" || archive libm.a)) <(public libm.so.6)
  # What compilers call for arithmetic that the CPU has no instruction for.
  defined "$(archive libgcc.a)" | grep -E '^__[a-z0-9]+$'
  defined "$(archive libgcc_eh.a)" | grep -E '^(_Unwind_|__emutls_)'
} | sort -u | sed 's/^/-Wl,-u,/' > "$output"
