# Builds Kelvin and the example packages as a host does, with the same list of packages.
#   docker build -t kelvin . && docker run --rm kelvin compare
FROM debian:12 AS build
WORKDIR /src
COPY tools/setup tools/setup
RUN tools/setup build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make build && cmake --install build/release --prefix /opt/kelvin

FROM build AS packages
# docker build --target packages --output build-output .
RUN mkdir /packages && cp build/release/packages/*.zip /packages/

FROM build
ENTRYPOINT ["/src/build/release/bin/kelvin"]
CMD ["compare"]
