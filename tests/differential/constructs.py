"""Small Dockerfiles, one per construct: those that BuildKit accepts, and those it refuses.

They cover the constructs in the tests of BuildKit's parser (moby/buildkit, frontend/dockerfile),
of hadolint's parser (hadolint/language-docker), and of dockerfile-parse. A `⏎` is a line end.
The mark of a line is `+` if BuildKit 0.13 accepts the construct, `-` if it refuses it, and `~` if
newer versions decide otherwise. Not here: a file with ARG alone, which crashes dockerd 26.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Flags, after `FROM scratch`.
FLAGS = r"""
+ COPY --chown=1:1 a /
- COPY --chown a /
+ COPY --chown= a /
- COPY --foo=1 a /
+ COPY --link a /
+ COPY --link=true a /
+ COPY --link=False a /
- COPY --link= a /
- COPY --link=1 a /
- COPY --chown=1 --chown=2 a /
+ COPY --chmod=755 a /
+ COPY --chmod=u+x a /
+ COPY --chmod=9 a /
- COPY --from=0 a /
- COPY --From=0 a /
+ COPY -- a /
- COPY --
+ COPY -a /
- COPY --chown=1
~ COPY --parents a /
~ COPY --exclude=x a /
- COPY --keep-git-dir a /
- COPY --checksum=x a /
- ADD --checksum=x a /
+ ADD --keep-git-dir a /
- ADD --keep-git-dir=x a /
- ADD --from=0 a /
+ ADD --chmod=644 a /
+ ADD --link a /
~ ADD --unpack a /
+ ADD --chown=$A a /
+ COPY --chmod=$A a /
+ COPY --chmod=+x a /
+ COPY --chmod=77777 a /
+ COPY --chmod=a=rwx a /
+ RUN --network=none true
- RUN --network=foo true
- RUN --network= true
- RUN --network true
- RUN --network=NONE true
+ RUN --network=host true
- RUN --network=$A true
~ RUN --security=sandbox true
~ RUN --security=insecure true
- RUN --security=x true
~ RUN --device=x true
- RUN --foo true
- RUN --mount true
- RUN --network=none --network=none true
+ RUN --
+ RUN -- true
+ RUN --mount=type=cache,target=/a --mount=type=cache,target=/b true
- ENV --a=b
- ENV --a b=c
- LABEL --a=b
- LABEL --a b=c
- USER --a b
- USER --a
- WORKDIR --a /b
- EXPOSE --a 1
- VOLUME --a /b
- CMD --a b
- ENTRYPOINT --a b
+ STOPSIGNAL --a 1
- ARG --a
- ARG --a=b
+ ARG --a B
- SHELL --a ["b"]
- MAINTAINER --a b
- ONBUILD --a RUN b
+ ONBUILD RUN --foo b
+ ONBUILD COPY --foo a /
- HEALTHCHECK --a CMD b
+ ONBUILD RUN --mount=type=foo b
+ ONBUILD COPY --from=0 a /
+ ONBUILD ADD --a=b a /
+ CMD -- b
+ ENV -- a=b
+ USER -- a
+ EXPOSE -- 1
+ CMD -a
+ ENV -a=b
+ USER -a
+ COPY --chown="1:1" a /
+ COPY --chown='1 1' a /
+ COPY --cho\wn=1 a /
+ COPY --chown=1\ 1 a /
- COPY --chown="1 a /
+ RUN --mount='type=cache,target=/a' true
+ RUN  --network=none  true
"""

# Arguments, after `FROM scratch`.
ARGUMENTS = r"""
- ENV
- ENV a
+ ENV a b
+ ENV a=b
+ ENV a =b
- ENV a= b
- ENV a=b c
- ENV =b
- ENV a=b =c
+ ENV "a"=b
+ ENV "a b"=c
- ENV "a b" c
+ ENV ""=c
+ ENV ''=c
+ ENV $A=c
+ ENV ${A}=c
+ ENV a=
+ ENV a==b
+ ENV a=b\ c
+ ENV a\=b
+ ENV a\ b=c
- ENV a="b
- ENV a='b
+ ENV a="b"c
+ ENV a=b"c d"
- ENV a it's
- ENV a=b 'c=d'
- ENV "a=b"
- ENV 'a=b c=d'
- LABEL
- LABEL a
+ LABEL a b
+ LABEL a=b
- LABEL a=b c
- LABEL =b
+ LABEL $A=b
+ LABEL ""=b
+ LABEL "a b"=c
+ LABEL a b c
+ LABEL a.b=c d=e
- LABEL "a"
+ LABEL a=$
- LABEL a=${A
- LABEL a=${}
- ARG
+ ARG a
+ ARG a=b
+ ARG a b
+ ARG a=b c
- ARG =b
+ ARG a= b
+ ARG "a"=b
+ ARG ""
+ ARG ""=b
+ ARG $A
+ ARG $A=b
+ ARG ${A}
- ARG a=${A?b}
- ARG a =b
+ ARG 'a b'
- ARG a='b
+ ARG PATH
+ ARG a.b=c
- USER
+ USER a
+ USER a b
+ USER $A
+ USER ''
+ USER ""
+ USER a:b:c
- USER "a
- USER a'b
- WORKDIR
+ WORKDIR /a
+ WORKDIR a
+ WORKDIR /a b
+ WORKDIR $A
+ WORKDIR ''
+ WORKDIR C:\a
- WORKDIR ${A
+ WORKDIR c:/a
+ WORKDIR c:
+ WORKDIR d:/a
+ WORKDIR /a:b
+ WORKDIR a:b
+ WORKDIR .
+ WORKDIR ~
- EXPOSE
+ EXPOSE 1
+ EXPOSE 1 2
+ EXPOSE 80/tcp
+ EXPOSE 80/TCP
- EXPOSE 80/ip
+ EXPOSE 80/
- EXPOSE /tcp
- EXPOSE a
+ EXPOSE 1-3
- EXPOSE 3-1
- EXPOSE 1-
- EXPOSE -1
+ EXPOSE 0
+ EXPOSE 65535
- EXPOSE 65536
+ EXPOSE 1:2
+ EXPOSE 1.2.3.4:5:6
+ EXPOSE $A
+ EXPOSE ${A:-1}
+ EXPOSE '1'
- EXPOSE "1 2"
- EXPOSE 1,2
+ EXPOSE 80/sctp
+ EXPOSE 80/udp/tcp
+ EXPOSE 1-2:3-4
+ EXPOSE 1-2:3
- EXPOSE 1:
+ EXPOSE ''
+ EXPOSE 1-3/udp
+ EXPOSE [::1]:1:2
- EXPOSE 0x1
- EXPOSE 1e1
- EXPOSE +1
+ EXPOSE 01
- EXPOSE ["1"]
- EXPOSE ${A
- EXPOSE 1 # a
- EXPOSE a:1
+ EXPOSE 1.2.3.4::6
- EXPOSE 1.2.3.4:6
+ EXPOSE 1-3:4-6/udp
- EXPOSE 99999-1
- EXPOSE 1--2
+ EXPOSE 1-2-3
- VOLUME
+ VOLUME /a
+ VOLUME /a /b
+ VOLUME ["/a"]
- VOLUME []
- VOLUME [""]
- VOLUME [" "]
- VOLUME ''
- VOLUME $A
- VOLUME ["/a", 1]
+ VOLUME ["/a"
+ VOLUME a
- VOLUME ${A
- VOLUME "/a b"
- VOLUME ["$A"]
- STOPSIGNAL
+ STOPSIGNAL 9
+ STOPSIGNAL SIGTERM
+ STOPSIGNAL TERM
- STOPSIGNAL FOO
- STOPSIGNAL 0
+ STOPSIGNAL 99
- STOPSIGNAL $A
- STOPSIGNAL a b
+ STOPSIGNAL -1
+ STOPSIGNAL sigterm
- STOPSIGNAL ''
+ STOPSIGNAL SIGRTMIN+1
+ STOPSIGNAL 65
+ STOPSIGNAL ${A:-SIGINT}
+ STOPSIGNAL SIGRTMAX
+ STOPSIGNAL RTMIN
- STOPSIGNAL RTMIN+16
+ STOPSIGNAL "9"
+ STOPSIGNAL 64
- SHELL
- SHELL []
+ SHELL ["a"]
+ SHELL ["a", "-c"]
- SHELL a
- SHELL [a]
- SHELL ["a", 1]
+ SHELL ["a"] x
+ SHELL [""]
+ CMD
+ CMD []
+ CMD ["a"]
+ CMD a
- CMD [1]
+ CMD ['a']
+ CMD ["a"
+ CMD ["a"] x
- CMD [null]
- CMD [[]]
- CMD [{}]
- CMD [true]
+ CMD ["a",]
+ CMD ["a" "b"]
- CMD ["a", ["b"]]
+ CMD {}
+ CMD "a"
- CMD [1.5e3]
+ CMD [-]
+ CMD [NaN]
+ CMD [01]
+ CMD ["\x"]
+ CMD ["\u0000"]
+ CMD ["\ud800"]
+ CMD ["\n"]
+ CMD [1
+ CMD ["a"]]
+ CMD [ ]
+ CMD [""]
+ ENTRYPOINT
+ ENTRYPOINT []
+ ENTRYPOINT ["a"]
+ ENTRYPOINT a
- ENTRYPOINT [1]
- ENTRYPOINT ["a", null]
+ ENTRYPOINT ''
+ RUN
+ RUN []
+ RUN ["a"]
+ RUN a
- RUN [1]
- RUN ["a", 1]
+ RUN [ -f a ]
+ RUN [foo
+ RUN [""]
+ RUN ''
- COPY
- COPY a
+ COPY a b
+ COPY a b c
+ COPY a b c/
- COPY []
- COPY ["a"]
+ COPY ["a", "b"]
- COPY ["a", 1]
+ COPY [a, b]
+ COPY $A /
+ COPY a $A
- COPY ${A
- COPY a ${A
- COPY a '/b
- COPY "a b" c
+ COPY a ''
+ COPY '' b
- COPY https://a.b/c /
+ COPY a b ''
+ COPY .. /
+ COPY ../a /
+ COPY /a /
+ COPY * /
+ COPY [ab] /
+ COPY [a /
+ COPY a?b /
- COPY git@a.b:c /
+ COPY ["a", "b", "c"]
- ADD
- ADD a
+ ADD a b
+ ADD a b c
- ADD ["a"]
+ ADD ["a", "b"]
- ADD ["a", null]
+ ADD https://a.b/c /
- ADD ${A /
+ ADD a b c/
- ADD --checksum=sha256:x https://a.b/c /
+ ADD https://a.b/c ''
+ ADD http://a.b /
+ ADD git@a.b:c.git /
+ ADD https://a.b/c.git#d /e
- MAINTAINER
+ MAINTAINER a
+ MAINTAINER a <b@c>
+ MAINTAINER $A
+ MAINTAINER ''
+ MAINTAINER ${A
+ MAINTAINER 'a
- ONBUILD
+ ONBUILD RUN a
- ONBUILD FROM a
- ONBUILD ONBUILD RUN a
- ONBUILD MAINTAINER a
+ ONBUILD FOO a
- ONBUILD CMD [1]
- ONBUILD ENV a
+ ONBUILD ENV =a
+ ONBUILD COPY a
+ ONBUILD USER
+ ONBUILD EXPOSE a
- ONBUILD onbuild CMD a
- ONBUILD from a
+ ONBUILD ENV
- ONBUILD LABEL a
- ONBUILD LABEL a=b c
+ ONBUILD ARG =a
+ ONBUILD SHELL a
+ ONBUILD HEALTHCHECK
+ ONBUILD RUN
+ ONBUILD RUN []
- ONBUILD ADD [1]
+ ONBUILD ENV a=${
+ ONBUILD STOPSIGNAL FOO
+ ONBUILD VOLUME
- ONBUILD HEALTHCHECK CMD [1]
+ ONBUILD "RUN" a
+ ONBUILD # a
+ onbuild run a
- HEALTHCHECK
+ HEALTHCHECK NONE
+ HEALTHCHECK none
- HEALTHCHECK NONE a
- HEALTHCHECK CMD
+ HEALTHCHECK CMD a
- HEALTHCHECK a
+ HEALTHCHECK CMD ["a"]
- HEALTHCHECK CMD []
- HEALTHCHECK CMD [1]
+ HEALTHCHECK cmd a
- HEALTHCHECK CMD-SHELL a
- HEALTHCHECK ["a"]
+ HEALTHCHECK CMD ''
+ HEALTHCHECK NONE []
- HEALTHCHECK NONE [""]
- HEALTHCHECK NONE [1]
+ HEALTHCHECK CMD [""]
- HEALTHCHECK NONE --interval=1s
+ HEALTHCHECK --interval=x NONE
+ HEALTHCHECK --foo NONE
- HEALTHCHECK --interval=5s
- HEALTHCHECK --retries=x CMD
"""

# Heredocs, after `FROM scratch`.
HEREDOCS = r"""
+ RUN <<EOF⏎EOF
+ RUN <<EOF⏎a⏎EOF
- RUN <<EOF⏎a
- RUN <<EOF
+ RUN <<'EOF'⏎EOF
+ RUN <<"EOF"⏎EOF
- RUN <<'EOF⏎EOF
- RUN <<"EOF⏎EOF
- RUN <<EOF'⏎EOF
+ RUN <<E'O'F⏎EOF
- RUN << EOF⏎EOF
+ RUN <<  EOF
+ RUN 3<<EOF⏎EOF
+ RUN <<<EOF
+ RUN <<
+ RUN <<-
+ RUN a <<EOF b⏎EOF
+ RUN a<<EOF
- RUN <<EOF;a⏎EOF
+ RUN <<EOF;a⏎EOF;a
+ RUN <<$A⏎$A
- RUN <<$A⏎x
+ RUN <<''⏎⏎
+ RUN <<''
+ RUN <<""⏎
+ RUN <<'a b'⏎a b
+ RUN <<A <<B⏎A⏎B
- RUN <<A <<B⏎B⏎A
+ RUN <<A <<A⏎A⏎A
- RUN <<A <<A⏎A
+ RUN '<<EOF'
+ RUN "<<EOF"
+ RUN \<<EOF
+ RUN ["<<EOF"]
+ RUN <<EOF # a⏎EOF
+ RUN <<EOF \⏎ a⏎EOF
+ RUN <<EOF⏎USER⏎FOO⏎EOF
+ RUN <<EOF⏎\⏎EOF
+ RUN <<a.txt⏎a.txt
+ RUN $((1<<2))
- RUN echo '⏎<<EOF
+ COPY <<EOF /a⏎EOF
- COPY <<EOF /a⏎
- COPY a <<EOF⏎EOF
- COPY <<EOF⏎EOF
+ COPY <<A <<B /a⏎A⏎B
- COPY <<A <<B /a⏎A
+ COPY <<EOF b /a/⏎EOF
+ COPY --chown=1 <<EOF /a⏎EOF
- COPY <<EOF /a⏎${⏎EOF
+ COPY <<'EOF' /a⏎${⏎EOF
+ COPY <<EOF /a⏎'⏎EOF
+ COPY <<EOF /a⏎"⏎EOF
+ COPY <<EOF /a⏎$A ${B:-c}⏎EOF
- COPY <<EOF /a⏎${A?x}⏎EOF
- COPY --from=0 <<EOF /a⏎EOF
+ COPY ["<<EOF", "/a"]
- COPY ["<<EOF", "/a"]⏎EOF
+ ADD <<EOF /a⏎EOF
- ADD a <<EOF⏎EOF
- ADD <<EOF /a
- CMD <<EOF⏎EOF
+ CMD <<EOF
+ ENV a <<EOF
+ ENV a=<<EOF
- USER <<EOF⏎EOF
+ USER <<EOF
+ ONBUILD RUN <<EOF⏎EOF
- ONBUILD RUN <<EOF
+ ONBUILD COPY <<EOF /a⏎b⏎EOF
+ ONBUILD COPY a <<EOF⏎EOF
+ HEALTHCHECK CMD <<EOF
+ ENTRYPOINT <<EOF
+ LABEL a=<<EOF
- SHELL <<EOF
+ WORKDIR <<EOF
+ RUN "a <<EOF
+ RUN it's <<EOF
- RUN a <<EOF 'b⏎EOF
+ RUN <<\EOF⏎EOF
+ RUN <<E\OF⏎EOF
+ COPY 3<<EOF /a⏎EOF
+ RUN --mount=type=tmpfs,target=/a <<EOF⏎EOF
"""

# Line continuations, comments and what is no instruction, after `FROM scratch`.
LINES = r"""
- USR a
+ user a
+ UsEr a
- USER\⏎a
+ USER \⏎ a
+ USER \⏎# b⏎ a
+ USER \⏎⏎ a
- USER \⏎
+ USER a\⏎
+ US\⏎ER a
+ RUN a \⏎  # b \⏎ c
+ RUN a \ ⏎ b
+ RUN a \\⏎USER b
- RUN a \\⏎b
- RUN a &&⏎b
- RUN a⏎&& b
+ RUN\⏎
+ ENV a=b \⏎ c=d
- ENV a=b \⏎USER c
- RUN echo '⏎b'
- LABEL a="b⏎c"
+ #
+ # a
+ USER a # b
- // a
- /* a */
- <!-- a -->
- -- a
- ; a
- {
- }
- ---
- USER: a
- 'USER' a
- "USER" a
- \⏎
- `
+ USER a;USER b
- =
- @
- !
- $A b
- ${A} b
- RUN=a
- INCLUDE a
- INCLUDE
- RUNN
- COPPY a b
- EXPOSE80
+ USER é
- ÜSER a
+ USER a⏎⏎⏎
- CMD a⏎ \⏎ b
"""

# The values of `RUN --mount`.
MOUNTS = r"""
+ type=bind,target=/a
+ target=/a
- type=bind
- type=foo,target=/a
- type=,target=/a
- type=cache
+ type=cache,target=/a
+ type=cache,dst=/a
+ type=CACHE,target=/a
+ type=cache,destination=/a,sharing=locked
- type=cache,target=/a,sharing=foo
+ type=cache,target=/a,sharing=Shared
+ type=tmpfs,target=/a,size=1g
- type=tmpfs
- type=tmpfs,target=/a,size=x
- type=cache,target=/a,size=1
- type=tmpfs,target=/a,size=-1
+ type=secret,id=a
- type=secret
+ type=secret,target=/a
+ type=secret,source=a
- type=secret,id=a,source=b
+ type=secret,id=a,required
- type=secret,id=a,required=x
+ type=secret,id=a,required=True
~ type=secret,id=a,env=B
+ type=secret,id=a,from=0
- type=secret,id=a,sharing=locked
+ type=secret,id=a,mode=0400
- type=secret,id=a,mode=9
+ type=ssh
+ type=ssh,id=a
+ type=ssh,required
+ type=ssh,mode=0600,uid=1,gid=1
- type=cache,target=/a,uid=x
- type=cache,target=/a,gid=-1
+ type=cache,target=/a,uid=1
- type=bind,target=/a,mode=1
- type=bind,target=/a,uid=1
- type=tmpfs,target=/a,gid=1
+ type=bind,target=/a,ro
+ type=bind,target=/a,rw
+ type=bind,target=/a,readwrite=true
- type=bind,target=/a,ro=x
+ type=bind,target=/a,readonly=false
- type=bind,target=/a,ro=
- type=cache,target=/a,required
- type=bind,target=/a,required=true
- target=/a,foo
- target=/a,foo=b
- target=/a,
- ,target=/a
- target=/a,,ro
+ TARGET=/a
- target
+ type=cache,target=/a,id=$A
- type=$A,target=/a
- target=/a,from=$A
+ target=/a,from=0
- type=cache,target=/a,uid=$A
+ type=cache,target=/a,uid=${A:-1}
- from=a$,target=/a
+ "type=cache,target=/a"
+ '"target=/a,b"'
- target=/a,"b
+ target=/a/../b
+ target=a
- type=bind,target=/a,sharing=locked
+ type=tmpfs,target=/a,from=0
- type=cache,target=/
- type=bind,target=/
- type=cache,target=
+ target=/a,source=../b
- type=bind,source=b
+ type=ssh,from=0
- type=ssh,target=/a,source=b
- type=ssh,size=1
- type=cache,target=/a,bind-propagation=x
"""

# The flags of `HEALTHCHECK ... CMD a`.
HEALTH = r"""
+ --interval=5s
- --interval=5
+ --interval=0
+ --interval=0s
+ --interval=
- --interval
- --interval=1ns
- --interval=999us
+ --interval=1ms
- --interval=-1s
+ --interval=1m30s
+ --interval=1.5h
+ --interval=.5s
+ --interval=1.s
- --interval=5 s
- --interval=1d
- --interval=1S
+ --interval=+1s
- --interval=1e3s
- --interval=1µs
- --interval=9999999h
- --interval=$A
+ --interval=1h1h
- --interval=1s2
- --interval=.s
+ --timeout=3s
- --timeout=x
+ --start-period=5s
- --start-period=x
+ --start-interval=5s
- --start-interval=x
- --start-interval=1us
- --timeout=1us
- --start-period=1us
+ --retries=3
+ --retries=0
- --retries=-1
- --retries=x
+ --retries=
- --retries
- --retries=1.5
+ --retries=+3
+ --retries=03
- --retries=0x3
- --retries=2147483648
+ --retries=2147483647
- --retries= 3
- --retries=1_0
- --retries=3 --retries=3
+ --interval=5s --timeout=3s --retries=2
- --interval=1s --interval=1s
- --Interval=1s
"""

# Words with variables, each as the argument of USER.
SUBSTITUTIONS = r"""
+ $
+ $$
+ a$
+ ${A}
+ ${A:-b}
+ ${A-b}
+ ${A:+b}
+ ${A+b}
- ${A:?b}
- ${A?b}
- ${A:?}
- ${A?}
- ${
- ${}
- ${A
- ${A:
- ${A:}
- ${A:x}
- ${A:-
- ${A:-b
- ${A!}
- ${A@}
- ${A^}
- ${A,}
- ${A~}
+ ${A#b}
+ ${A##b}
+ ${A%b}
+ ${A%%b}
+ ${A/b/c}
+ ${A//b/c}
- ${A/b}
- ${A/}
- ${A//}
- ${A/b/
- ${A/b/c
+ ${A:#b}
+ ${A:%b}
- ${A:/b/c}
- ${A:0:1}
- ${#A}
- ${!A}
+ ${1}
+ ${12}
+ ${@}
+ ${*}
+ ${?}
+ ${-}
+ ${$}
+ ${!}
- ${ A}
- ${A }
- ${A b}
- ${A-'b}
- ${A-"b}
+ ${A:-${B}}
- ${A:-${B}
+ ${A:-$}
+ $1
+ $12a
+ $@
+ $*
+ $#
+ $?
+ $-
+ $!
+ ${A_}
+ ${_}
+ ${é}
+ $é
+ ${A-b c}
+ ${A#*}
+ ${A#[}
- ${A%\}
+ ${A/*/b}
+ ${A#\}}
+ '${'
- "${"
- "${A"
+ \${
+ '\'
- "\"
+ ${PATH#/}
+ ${PATH/usr/x}
+ ${PATH//\//x}
+ ${PATH%%:*}
+ ${PATH:+x}
+ ${PATH?}
+ ${PATH:?no}
+ ${PATH/[/x}
+ ${PATH#[}
+ ${PATH#[a]}
+ ${PATH##*(}
"""

# What a stage contains that no other stage needs: it is parsed, but not built.
UNUSED = r"""
+ EXPOSE a
+ USER ${
+ USER ${A?b}
+ STOPSIGNAL FOO
- FOO
- USER
- ENV a
- COPY a
- RUN --foo a
+ RUN --mount=type=foo a
- RUN --mount=from=$A a
- RUN --network=foo a
- HEALTHCHECK --interval=x CMD a
+ COPY --chmod=x a /
+ COPY a b c
- ONBUILD FROM a
- CMD [1]
- ARG =b
+ ARG a=${
+ WORKDIR c:\a
+ LABEL a=${
+ ENV a=${
+ VOLUME ${
+ COPY ${ /
- SHELL a
- RUN <<EOF
- COPY --from=7 a /
+ COPY <<EOF /⏎${⏎EOF
+ ADD --checksum=x a /
"""

# Whole Dockerfiles.
WHOLE = r"""
- ⏎
- #
- # a
+ FROM scratch
+ ⏎⏎FROM scratch
+ from scratch
+ FROM scratch \⏎
+ FROM \⏎scratch
- FROM
- FROM scratch a
- FROM scratch AS
+ FROM scratch AS a
+ FROM scratch as a
+ FROM scratch As A
- FROM scratch AS a b
- FROM scratch IS a
- FROM scratch AS 1
+ FROM scratch AS a_b.c-d
- FROM scratch AS a/b
- FROM scratch AS -a
- FROM scratch AS .a
- FROM scratch AS é
- FROM scratch AS a:b
+ FROM scratch AS scratch
+ FROM scratch AS context
+ FROM scratch AS a⏎FROM a
- FROM scratch AS a⏎FROM A
+ FROM scratch AS A⏎FROM a
+ FROM scratch AS a⏎FROM scratch AS a
+ FROM scratch AS a⏎FROM a AS a
- FROM scratch AS $A
- FROM scratch AS 'a'
- FROM ''
- FROM ""
- FROM $A
- FROM ${A}
+ FROM ${A:-scratch}
+ ARG A=scratch⏎FROM $A
- ARG A⏎FROM $A
+ ARG A=scratch⏎FROM ${A} AS b⏎FROM b
+ FROM 'scratch'
+ FROM "scratch"
+ FROM --platform=linux/amd64 scratch
+ FROM --platform=$BUILDPLATFORM scratch
- FROM --platform=foo scratch
+ FROM --platform= scratch
- FROM --platform scratch
- FROM --platform=$A scratch
- FROM --platform=a/b/c/d scratch
- FROM --foo=a scratch
+ FROM --platform=linux/arm64 scratch
+ FROM --platform=${A:-linux} scratch
- FROM --platform=linux --platform=linux scratch
+ FROM --platform=linux/amd64/v9 scratch
+ FROM --platform=LINUX/AMD64 scratch
+ FROM --platform=linux/x86_64 scratch
- FROM --platform=/ scratch
- FROM --platform=linux/ scratch
- FROM --platform=a\ b scratch
+ FROM -- scratch
- FROM scratch --platform=linux
- USER a
- USER a⏎FROM scratch
- RUN a⏎FROM scratch
- ARG a⏎USER b⏎FROM scratch
- ARG⏎FROM scratch
- ARG =a⏎FROM scratch
+ ARG a b=c⏎FROM scratch
+ ARG a=${⏎FROM scratch
+ ARG a=${b?c}⏎FROM scratch
- FOO⏎FROM scratch
- ENV a=b⏎FROM scratch
- LABEL a=b⏎FROM scratch
+ ARG a='b⏎FROM scratch
+ ARG $A=b⏎FROM scratch
+ ARG a=b a=c⏎FROM scratch
- FROM scratch⏎ARG a=${⏎USER b
- MAINTAINER a⏎FROM scratch
- ONBUILD RUN a⏎FROM scratch
+ # a⏎ARG A=1⏎# b⏎FROM scratch
+ # escape=`⏎FROM scratch⏎USER a`⏎b
+ # escape=\⏎FROM scratch
- # escape=x⏎FROM scratch
+ # escape=⏎FROM scratch
- # escape=``⏎FROM scratch
+ #escape=`⏎FROM scratch⏎RUN a \⏎USER b
+ # ESCAPE = `⏎FROM scratch⏎RUN a `⏎b
- # escape=`⏎# escape=`⏎FROM scratch
+ # a⏎# escape=x⏎FROM scratch
- # escape=`⏎# escape=\⏎FROM scratch
+ ⏎# escape=x⏎FROM scratch
+ # foo=bar⏎# escape=x⏎FROM scratch
+ # check=skip=all⏎FROM scratch
~ # check=skip=all⏎# check=skip=all⏎FROM scratch
+ # check=error=true⏎FROM scratch⏎maintainer a
+ # check=foo⏎FROM scratch
+ # escape = ` ⏎FROM scratch⏎USER a`⏎b
+ FROM scratch⏎# escape=x⏎USER a
- # escape=' '⏎FROM scratch
- #escape=`x⏎FROM scratch
~ # check=skip=A⏎# escape=x⏎FROM scratch
~ # check=skip=A⏎# escape=`⏎FROM scratch⏎USER a`⏎b
- FROM scratch AS a⏎COPY --from=a b /
- FROM scratch AS a⏎COPY --from=0 b /
- FROM scratch⏎COPY --from=1 b /
- FROM scratch AS a⏎COPY --from=b c /⏎FROM scratch AS b⏎COPY --from=a c /
+ FROM scratch AS a⏎FROM scratch⏎COPY --from=A b /
- FROM scratch AS a⏎FROM scratch⏎COPY --from=1 b /
+ FROM scratch AS a⏎FROM scratch⏎COPY --from=0 b /
+ FROM scratch⏎COPY --from=scratch a /
- FROM scratch⏎COPY --from=$A a /
+ FROM scratch⏎COPY --from= a /
- FROM scratch AS a⏎FROM scratch⏎COPY --from=2 b /
+ FROM scratch AS a⏎FROM scratch⏎RUN --mount=from=a,target=/b c
- FROM scratch AS a⏎RUN --mount=from=a,target=/b c
- FROM scratch AS a⏎COPY --from=-1 b /
+ FROM scratch AS a⏎FROM scratch⏎COPY --from=00 b /
+ FROM scratch AS a⏎FROM scratch⏎COPY --from=+0 b /
- FROM scratch AS a⏎FROM scratch⏎ARG X=a⏎COPY --from=$X b /
+ FROM scratch⏎RUN --mount=from=0,target=/b c
+ FROM scratch AS a⏎FROM scratch⏎RUN --mount=from=0,target=/b c
- FROM ${ AS a⏎FROM scratch
- FROM $A AS a⏎FROM scratch
- FROM --platform=foo/bar/baz/x scratch AS a⏎FROM scratch
- FROM --platform=$A scratch AS a⏎FROM scratch
- FROM 'x AS a⏎FROM scratch
- FROM scratch AS 1⏎FROM scratch
- FROM INVALID AS a⏎FROM scratch
- FROM INVALID
- FROM a:b:c
- FROM a@b
- FROM /a
- FROM a//b
- FROM ./a
- FROM a:
+ FROM scratch:latest
- FROM SCRATCH
+ FROM docker.io/library/scratch
+ FROM scratch:1
- FROM scratch AS a⏎ONBUILD USER ${⏎FROM a
- FROM scratch AS a⏎ONBUILD FOO⏎FROM a
- FROM scratch AS a⏎ONBUILD USER⏎FROM a
- FROM scratch AS a⏎ONBUILD EXPOSE a⏎FROM a
- FROM scratch AS a⏎ONBUILD COPY a⏎FROM a
- FROM scratch AS a⏎ONBUILD RUN --foo b⏎FROM a
+ FROM scratch AS a⏎ONBUILD COPY --from=0 a /⏎FROM a
- FROM scratch AS a⏎ONBUILD ENV b⏎FROM a
+ FROM scratch AS a⏎ONBUILD ENV b=c⏎FROM a⏎USER $b
+ FROM scratch AS a⏎ONBUILD COPY a /⏎FROM scratch
"""

# Odd characters, after `FROM scratch`.
ODD_ACCEPTED = (
    "ENV a=b\\",
    'CMD ["\t"]',
    "CMD \\",
    "RUN a \\",
    "HEALTHCHECK CMD\ta",
    "RUN <<-EOF\n\ta\n\tEOF",
    "RUN <<-a\n\ta",
    "COPY <<-EOF /a\n\tb\n\tEOF",
    "RUN <<EOF\r\na\r\nEOF\r",
    " USER a",
    "\tUSER a",
    "USER\ta",
    "USER a\\",
    "RUN a \\\t\n b",
    " # a",
    "\xa0USER a",
    "USER\x0ba",
    "USER\x0ca",
    "USER a\xa0",
    "USER a\x00",
    "USER a\r",
    "\r",
    "USER a\rUSER b",
    "USER a \\\r\n\r\nUSER b",
    "# a\r",
    "   ",
    "\t\t",
    "USER a\\\r\nb",
    "USER a\x85",
    "\u2028USER a",
    "USER a\u2028b",
)
ODD_REFUSED = (
    "u\u017fer a",
    "RUN <<EOF\n\tEOF",
    "RUN <<EOF\nEOF ",
    "USER \\",
    "\\",
    "USER\xa0a",
    "USER\u2003a",
    "\ufeffUSER a",
    "USER \xa0",
    "\x00",
    "USER\x00a",
    "USER\r",
    "FROM\r",
    "RUN --mount= true",
    "HEALTHCHECK --interval=1500\u03bcs CMD a",
)

ODD_FILES_ACCEPTED = (
    "\ufeffFROM scratch",
    "FROM scratch\r\nUSER a\r\n",
    "FROM\tscratch",
    " # escape=`\nFROM scratch\nUSER a`\nb",
    "\ufeff# escape=`\nFROM scratch\nUSER a`\nb",
    "# escape=`\r\nFROM scratch\r\nUSER a`\r\nb",
)
ODD_FILES_REFUSED = (
    "",
    " ",
    "\ufeff",
)
LONG_FILES_ACCEPTED = (
    "FROM scratch\nRUN " + "a" * 65531,
    "FROM scratch\n" + "\n" * 70000 + "USER a",
    "FROM scratch\nRUN " + "a \\\n" * 20000 + "b",
    "FROM scratch\n" + "USER a\n" * 200,
)
LONG_FILES_REFUSED = (
    "FROM scratch\nRUN " + "a" * 65532,
    "FROM scratch\nRUN " + "\xe9" * 32766,
    "FROM scratch\n# " + "a" * 65540,
    "FROM scratch\nRUN <<EOF\n" + "a" * 65540 + "\nEOF",
)


def _marked(block: str) -> Iterator[tuple[str, str]]:
    for line in block.split("\n"):
        if line:
            yield line[0], line[2:].replace("⏎", "\n")


def _bodies() -> Iterator[tuple[str, str]]:
    yield from _marked(FLAGS + ARGUMENTS + HEREDOCS + LINES)
    yield from ((mark, f"RUN --mount={value} true") for mark, value in _marked(MOUNTS))
    yield from ((mark, f"HEALTHCHECK {flags} CMD a") for mark, flags in _marked(HEALTH))
    yield from ((mark, f"USER {word}") for mark, word in _marked(SUBSTITUTIONS))
    yield from ((mark, f"{body}\nFROM scratch") for mark, body in _marked(UNUSED))
    yield from (("+", body) for body in ODD_ACCEPTED)
    yield from (("-", body) for body in ODD_REFUSED)


def constructs() -> list[tuple[str, str]]:
    """Return the mark of every construct, and the construct as a whole Dockerfile."""
    return [
        *((mark, f"FROM scratch\n{body}") for mark, body in _bodies()),
        *_marked(WHOLE),
        *(("+", text) for text in (*ODD_FILES_ACCEPTED, *LONG_FILES_ACCEPTED)),
        *(("-", text) for text in (*ODD_FILES_REFUSED, *LONG_FILES_REFUSED)),
    ]
