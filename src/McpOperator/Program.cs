Console.WriteLine("mcp-operator");
