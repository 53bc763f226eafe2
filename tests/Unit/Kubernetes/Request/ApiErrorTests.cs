using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class ApiErrorTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("", "")]
    [InlineData("no pointer in 0xc0 here", "no pointer in 0xc0 here")]
    [InlineData("LocalhostProfile:(*string)(0xc002937e00)}: can only", "LocalhostProfile:(*string)(0x…)}: can only")]
    [InlineData("(0xc01)(0xC02), (0x", "(0x…)(0x…), (0x…")]
    public void AMessageReadsTheSameEachTimeForTheSameReason(string? message, string? expected) =>
        Assert.Equal(expected, ApiError.WithoutAddresses(message));

    /// <summary>As API servers from 1.20 on put it; whoever denied chooses code, reason and details.</summary>
    [Theory]
    [InlineData("admission webhook \"deny.example.org\" denied the request: no", true)]
    [InlineData("admission webhook \"deny.example.org\" denied the request without explanation", true)]
    [InlineData("deployments.apps \"web\" is forbidden: admission webhook \"deny.example.org\" denied the request: no", true)]
    [InlineData("Internal error occurred: admission webhook \"deny.example.org\" denied the request: no", true)]
    [InlineData("deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", true)]
    [InlineData("ValidatingAdmissionPolicy 'p' denied request: no", true)]
    [InlineData("Unauthorized", false)]
    [InlineData("Too many requests, please try again later.", false)]
    [InlineData("Internal error occurred: failed calling webhook \"deny.example.org\": connection refused", false)]
    [InlineData("namespaces \"admission webhook\" not found", false)]
    [InlineData("deployments.apps \"web\" is forbidden: User \"x\" cannot patch: admission webhook \"d\" denied the request", false)]
    [InlineData("Apply failed with 1 conflict: conflict with \"x\" is forbidden: admission webhook \"d\" denied the request\"", false)]
    [InlineData(null, false)]
    public void WhatAWebhookOrAPolicyDeniedMeansNothingButThat(string? message, bool isDenied)
    {
        foreach (var (code, reason, cause) in new[]
        {
            (401, "Unauthorized", null), (404, "NotFound", null), (409, "Conflict", "FieldManagerConflict"), (409, "AlreadyExists", null),
            (403, "Forbidden", "NamespaceTerminating"), (422, "Invalid", null), (429, "TooManyRequests", null), (503, "ServiceUnavailable", (string?)null),
        })
        {
            var refusal = new ApiException(
                new Status { Code = code, Reason = reason, Message = message, Details = new() { Causes = [new StatusCause { Reason = cause }] } }, "PATCH /");
            var meansWhatItSays = refusal.IsTransient || refusal.IsNotFound || refusal.IsConflict || refusal.IsFieldManagerConflict
                || refusal.IsAlreadyExists || refusal.IsNamespaceTerminating || refusal.IsInvalid;

            Assert.Equal((isDenied, !isDenied), (refusal.IsDenied, meansWhatItSays));
            Assert.True(!isDenied || refusal.IsObjectRefused);
        }
    }
}
