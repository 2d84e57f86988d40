//go:build tools

// Package programs names the command, so that go.mod and go.sum say what it is built from.
package programs

import _ "helm.sh/helm/v4/cmd/helm"
