.PHONY: test check fuzz bench rename

test:
	go test ./...

check:
	CI=true .ci/run

fuzz:
	.ci/fuzz $(or $(TIME),60s)

bench:
	go test -run '^$$' -bench 'Start|Finish' -benchtime 20000x -count 5 .

# make rename MODULE=your.host/path gives the module its real path, in the nested modules too.
rename:
	@test -n "$(MODULE)" || { echo 'usage: make rename MODULE=your.host/path'; exit 2; }
	old=$$(GOWORK=off go list -m) && git ls-files | xargs grep -lF "$$old" | xargs sed -i "s|$$old|$(MODULE)|g"
	for dir in . example redisstore otelauthcode interop; do (cd $$dir && GOWORK=off go mod tidy) || exit 1; done
