module github.com/usermgmt-go/usermgmt

go 1.26

// Wanted by the tests of modernc.org modules and not to be had from the proxy.
exclude github.com/google/pprof v0.0.0-20261016150608-1facf8f91b50
