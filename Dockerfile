# Builds Kelvin and the example packages as a host does, with the same list of packages; the
# packages are the same to the byte (tools/container-build-test).
#   docker build -t kelvin . && docker run --rm kelvin compare
#   docker build --target packages --output packages .
# BASE is any image of Debian 12, for where the registry cannot be reached.
ARG BASE=docker.io/library/debian:12

FROM ${BASE} AS build
WORKDIR /src
COPY tools/setup tools/setup
RUN tools/setup build && rm -rf /var/lib/apt/lists/*
COPY . .
ARG BUILD_TARGETS="kelvin_cli kelvin_packages"
RUN make build BUILD_TARGETS="${BUILD_TARGETS}"

FROM scratch AS packages
COPY --from=build /src/build/release/packages/ /

FROM build
RUN cmake --install build/release --prefix /opt/kelvin
ENTRYPOINT ["/src/build/release/bin/kelvin"]
CMD ["compare"]
